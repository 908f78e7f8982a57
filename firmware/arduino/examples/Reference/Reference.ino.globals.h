/*@create-file:build.opt@
// espMqttClient sends nothing while the largest free piece of heap is smaller than this: its own
// 16384 is more than there is beside TLS with a server that does not agree to small records.
-DEMC_MIN_FREE_MEMORY=4096
*/
