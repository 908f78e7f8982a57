'use strict'

const { number, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes } = require('./bytes')
const { Keyring } = require('./keyring')
const { bind, nativeOf, own } = require('./natives')
const { publication } = require('./publication')
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
    return publication(own(this).seal(text(device, 'device'), bytes(data, 'data')))
  }

  acknowledges(payload) {
    return own(this).acknowledges(bytes(payload, 'payload'))
  }

  ratchet(device) {
    return publication(own(this).ratchet(text(device, 'device')))
  }

  queryMode(device) {
    return publication(own(this).queryMode(text(device, 'device')))
  }

  setMode(device, mode) {
    return publication(own(this).setMode(text(device, 'device'), number(mode, 'mode', 0xff)))
  }
}

module.exports = { Sender }
