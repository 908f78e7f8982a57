'use strict'

// What it all means stands in index.d.ts.
const { backend, backendName } = require('./backend')
const classic = require('./classic')
const { Device } = require('./device')
const { inspect } = require('./inspect')
const { Keyring } = require('./keyring')
const { KeyringFile } = require('./keyring-file')
const { Message } = require('./message')
const { Receiver } = require('./receiver')
const { Rejected } = require('./rejected')
const sealed = require('./sealed')
const { Sender } = require('./sender')
const { Store } = require('./store')
const { VERDICTS, Verdict } = require('./verdict')

module.exports = {
  classic,
  Device,
  inspect,
  Keyring,
  KeyringFile,
  Message,
  Receiver,
  Rejected,
  sealed,
  Sender,
  Store,
  Verdict,
  VERDICTS,
  backend: backendName,
  version: () => backend().version(),
}
