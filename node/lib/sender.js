'use strict'

const { text } = require('./arguments')
const { backend } = require('./backend')
const { bytes } = require('./bytes')
const { Keyring } = require('./keyring')
const { bind, nativeOf, own } = require('./natives')
const { Store } = require('./store')

class Sender {
  constructor(keyring, store) {
    const parts = [nativeOf(keyring, Keyring, 'keyring'), nativeOf(store, Store, 'store')]
    bind(this, new (backend().Sender)(...parts))
  }

  get subscriptions() {
    return own(this).subscriptions()
  }

  hear(payload, { topic } = {}) {
    return own(this).hear(bytes(payload, 'payload'), text(topic, 'topic'))
  }

  isReady(device) {
    return own(this).isReady(text(device, 'device'))
  }

  seal(device, data) {
    return own(this).seal(text(device, 'device'), bytes(data, 'data'))
  }
}

module.exports = { Sender }
