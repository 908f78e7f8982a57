'use strict'

const { createServer } = require('node:net')
const { Aedes } = require('aedes')

/** An MQTT broker within this process, on a port of this machine alone. */
async function startBroker(port) {
  const aedes = await Aedes.createBroker()
  const server = createServer(aedes.handle)
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      await new Promise((resolve) => aedes.close(resolve))
      await closed
    },
  }
}

module.exports = { startBroker }
