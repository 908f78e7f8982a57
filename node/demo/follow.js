'use strict'

// Node-RED loads this first: it ends when the process that started it is gone, however that ended.
process.once('disconnect', () => process.emit('SIGTERM'))
