'use strict'

const { number, optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes, kind } = require('./bytes')
const { argument } = require('./errors')
const { Keyring } = require('./keyring')
const { Message } = require('./message')
const { make, nativeOf, own } = require('./natives')
const { publication } = require('./publication')

class Device {
  constructor() {
    throw new TypeError('use Device.load or Device.fromKeyring')
  }

  static load(path, options = {}) {
    return make(Device, backend().Device.load(text(path, 'path'), nativeOptions(options)))
  }

  static fromKeyring(keyring, name, options = {}) {
    const native = nativeOf(keyring, Keyring, 'keyring')
    const { Device: Native } = backend()
    return make(Device, Native.fromKeyring(native, text(name, 'name'), nativeOptions(options)))
  }

  get name() {
    return own(this).name()
  }

  get format() {
    return own(this).format()
  }

  get address() {
    return own(this).address()
  }

  get epoch() {
    return own(this).epoch()
  }

  get topic() {
    return own(this).topic()
  }

  get sessionTopic() {
    return own(this).sessionTopic()
  }

  get helloTopic() {
    return own(this).helloTopic()
  }

  get downTopic() {
    return own(this).downTopic()
  }

  get beaconTopic() {
    return own(this).beaconTopic()
  }

  get subscriptions() {
    return own(this).subscriptions()
  }

  get isWelcomed() {
    return own(this).isWelcomed()
  }

  get mode() {
    return own(this).mode()
  }

  setMode(mode) {
    own(this).setMode(number(mode, 'mode', 0xff))
  }

  get ignored() {
    return own(this).ignored()
  }

  get trouble() {
    return own(this).trouble()
  }

  hear(payload) {
    return own(this).hear(bytes(payload, 'payload'))
  }

  seal(data, { to } = {}) {
    const peer = to === undefined ? undefined : bytes(to, 'to')
    return own(this).seal(bytes(data, 'data'), peer)
  }

  send(data) {
    own(this).send(bytes(data, 'data'))
  }

  drawCommandSession() {
    return own(this).drawCommandSession()
  }

  open(payload, { topic } = {}) {
    const message = own(this).open(bytes(payload, 'payload'))
    return Message.fromNative(message, optionalText(topic, 'topic'), false)
  }

  publications() {
    return own(this).publications().map(publication)
  }

  get nextDue() {
    return own(this).nextDue()
  }

  reconnected() {
    own(this).reconnected()
  }
}

function nativeOptions({ format, state, firmware, hold = 10_000, helloInterval = 600_000 }) {
  return {
    format: optionalText(format, 'format'),
    state: optionalText(state, 'state'),
    firmware: optionalText(firmware, 'firmware'),
    hold: time(hold, 'hold'),
    helloInterval: time(helloInterval, 'helloInterval'),
  }
}

function time(value, name) {
  if (typeof value === 'number') return value
  throw argument(`${name} must be milliseconds, not ${kind(value)}`)
}

module.exports = { Device }
