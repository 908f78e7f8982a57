'use strict'

const { randomBytes } = require('node:crypto')

/** New keys, for devices that live inside the flow: nobody else can have them. */
function drawKeys() {
  const hex = (bytes) => randomBytes(bytes).toString('hex')
  return {
    format: 'hex',
    ivKey: hex(16),
    dataKey: hex(16),
    staticIv: hex(16),
    passphrase: hex(32),
    sessionKey: hex(32),
  }
}

module.exports = { drawKeys }
