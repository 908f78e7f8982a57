'use strict'

// The shortest wait for what is due.
const TICK = 20

/** A sealed device's own end: the library runs it, this keeps its time. */
class SealedEnd {
  #device
  #publish
  #failed
  #timer

  constructor({ device, publish, failed }) {
    this.#device = device
    this.#publish = publish
    this.#failed = failed
  }

  get isWaiting() {
    return !this.#device.isWelcomed
  }

  start() {
    this.#device.reconnected()
    this.serve()
  }

  close() {
    clearTimeout(this.#timer)
  }

  hears(topic) {
    return topic === this.#device.beaconTopic
  }

  obeys(topic) {
    return topic === this.#device.downTopic
  }

  hear(payload) {
    this.#device.hear(payload)
  }

  open(payload) {
    return this.#device.open(payload)
  }

  send(data) {
    this.#device.send(data)
  }

  serve() {
    clearTimeout(this.#timer)
    for (const publication of this.#device.publications()) {
      this.#publish(publication, publication.topic === this.#device.topic)
    }
    const due = this.#device.nextDue
    if (due !== null) this.#timer = setTimeout(() => this.#serveAgain(), Math.max(due, TICK))
  }

  #serveAgain() {
    try {
      this.serve()
    } catch (error) {
      this.#failed(error)
    }
  }
}

module.exports = { SealedEnd }
