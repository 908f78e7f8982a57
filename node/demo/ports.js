'use strict'

const { createServer } = require('node:net')

/** The port if it is free on this machine, else any that is. */
async function portNear(wanted) {
  return (await probe(wanted)) ?? (await probe(0))
}

/** The port that was bound; null if it is taken, or not for this user. */
function probe(port) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => {
      if (['EADDRINUSE', 'EACCES'].includes(error.code)) resolve(null)
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address().port
      server.close(() => resolve(bound))
    })
  })
}

module.exports = { portNear }
