'use strict'

const { optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes } = require('./bytes')
const { Keyring } = require('./keyring')
const { Message } = require('./message')
const { make, nativeOf, own } = require('./natives')

class Device {
  constructor() {
    throw new TypeError('use Device.load or Device.fromKeyring')
  }

  static load(path) {
    return make(Device, backend().Device.load(text(path, 'path')))
  }

  static fromKeyring(keyring, name) {
    const native = nativeOf(keyring, Keyring, 'keyring')
    return make(Device, backend().Device.fromKeyring(native, text(name, 'name')))
  }

  get name() {
    return own(this).name()
  }

  get topic() {
    return own(this).topic()
  }

  get sessionTopic() {
    return own(this).sessionTopic()
  }

  hear(payload) {
    return own(this).hear(bytes(payload, 'payload'))
  }

  seal(data, { to } = {}) {
    const peer = to === undefined ? undefined : bytes(to, 'to')
    return own(this).seal(bytes(data, 'data'), peer)
  }

  drawCommandSession() {
    return own(this).drawCommandSession()
  }

  open(payload, { topic } = {}) {
    const message = own(this).open(bytes(payload, 'payload'))
    return Message.fromNative(message, optionalText(topic, 'topic'), false)
  }
}

module.exports = { Device }
