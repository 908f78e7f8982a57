'use strict'

const { textOrBytes } = require('./payload')

// As many as in the firmware: what was read before there is a session waits for one.
const OUTBOX = 20

/** A classic device's own end, as its firmware would behave. */
class ClassicEnd {
  #device
  #entry
  #topic
  #publish
  #outbox = []

  constructor({ device, keyring, topic, publish }) {
    this.#device = device
    this.#entry = keyring.devices.find(({ name }) => name === device.name)
    this.#topic = device.topic ?? (topic || `sensors/${device.name}`)
    this.#publish = publish
  }

  get isWaiting() {
    return this.#outbox.length > 0
  }

  start() {
    this.#drawCommandSession()
  }

  close() {}

  hears(topic) {
    return this.#device.sessionTopic !== null && this.#device.sessionTopic === topic
  }

  obeys(topic) {
    return this.#entry.commandTopic !== null && this.#entry.commandTopic === topic
  }

  hear(payload) {
    this.#device.hear(payload)
  }

  open(payload) {
    const message = this.#device.open(payload)
    if (message.verdict === 'fresh') this.#drawCommandSession()
    return message
  }

  send(data) {
    this.#outbox.push(data)
    if (this.#outbox.length > OUTBOX) this.#outbox.shift()
  }

  /** Seals what waits. Without a session it goes on waiting. */
  serve() {
    while (this.#outbox.length > 0) {
      let frame
      try {
        frame = this.#device.seal(this.#outbox[0])
      } catch (error) {
        if (error.code === 'no_session') return
        this.#outbox.shift()
        throw error
      }
      this.#outbox.shift()
      const payload = textOrBytes(frame)
      this.#publish({ topic: this.#topic, payload, qos: 1, retain: false }, true)
    }
  }

  #drawCommandSession() {
    const topic = this.#entry.commandSessionTopic
    if (topic === null) return
    const payload = this.#device.drawCommandSession().toString('latin1')
    this.#publish({ topic, payload, qos: 1, retain: true }, false)
  }
}

module.exports = { ClassicEnd }
