'use strict'

const { flag, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes, kind } = require('./bytes')
const { allocate, columns, pack } = require('./columns')
const { argument } = require('./errors')
const { Keyring } = require('./keyring')
const { Message } = require('./message')
const { nativeOf } = require('./natives')
const { publication } = require('./publication')
const { Rejected } = require('./rejected')
const { Store } = require('./store')
const { VERDICTS } = require('./verdict')

// As in src/receiver.rs: where in `answer`, in words, what is known of a fresh reading stands; the
// flags; and where the data begin, in bytes.
const [DEVICE, GROUP, LENGTH, FLAGS, EPOCH] = [0, 1, 2, 3, 4]
const [PROTECTED, ADVANCED, BOUND, SEALED] = [1, 2, 4, 8]
// In words of eight bytes.
const COUNTER = 3
const HEAD = 32
// No frame carries more than the sealed frame's limit.
const LARGEST = 16384
// A peer chooses the topics: what is remembered of them must not grow for ever.
const TOPICS_KEPT = 4096
// Below so many bytes a loop is faster than a call.
const SHORT = 48

class Receiver {
  #native
  #keyring
  #devices
  #nodeIds
  #addresses
  #groups
  #reasons
  #delivery
  #topics = new Map()
  // The backend writes here what `open` found: a returned object would cost more than the rest.
  #answer = Buffer.allocUnsafeSlow(HEAD + LARGEST)
  #words = new Uint32Array(this.#answer.buffer, 0, HEAD / 4)
  #longs = new BigUint64Array(this.#answer.buffer, 0, HEAD / 8)

  constructor(keyring, store, { authority = true, delivery = 'at_most_once' } = {}) {
    const parts = [nativeOf(keyring, Keyring, 'keyring'), nativeOf(store, Store, 'store')]
    flag(authority, 'authority')
    this.#native = new (backend().Receiver)(
      ...parts,
      authority,
      text(delivery, 'delivery'),
      this.#answer,
    )
    this.#delivery = delivery
    this.#keyring = keyring
    this.#reasons = backend().freshReasons()
    const devices = keyring.devices
    this.#devices = devices.map((device) => device.name)
    this.#nodeIds = devices.map((device) => device.nodeId)
    this.#addresses = devices.map((device) => device.address)
    // A place of 0 is none.
    this.#groups = [null, ...keyring.groups.map((group) => group.name)]
  }

  open(payload, options) {
    let topic = null
    let retained = false
    let raiseRejected = false
    if (options !== undefined) {
      topic = options.topic ?? null
      retained = options.retained ?? false
      raiseRejected = options.raiseRejected ?? false
    }
    const frame = payload instanceof Uint8Array ? payload : bytes(payload, 'payload')
    const number = topic === null ? 0 : this.#number(topic)
    const isReading = this.#native.open(frame, number, flag(retained, 'retained'))
    const message = isReading ? this.#reading(topic, retained) : this.#other(topic, retained)
    if (raiseRejected && message.verdict !== 'fresh') throw new Rejected(message)
    return message
  }

  openMany(frames, { topic, retained = false } = {}) {
    if (!Array.isArray(frames)) throw argument(`frames must be an array, not ${kind(frames)}`)
    if (this.#delivery !== 'at_most_once') {
      throw argument('openMany hands over at most once: make the receiver without a delivery')
    }
    const number = topic === undefined || topic === null ? 0 : this.#number(topic)
    const { packed, ends } = pack(frames)
    const made = allocate(frames.length, packed.length)
    flag(retained, 'retained')
    const { memory, data } = made
    const opened = this.#native.openMany(packed, ends, number, retained, memory, data)
    if (opened < frames.length) this.#failed(columns(made, opened))
    return columns(made, opened)
  }

  hear(payload, { topic, retained = false } = {}) {
    const message = [bytes(payload, 'payload'), text(topic, 'topic')]
    return this.#native.hear(...message, flag(retained, 'retained'))
  }

  publications() {
    return this.#native.publications().map(publication)
  }

  reconnected() {
    this.#native.reconnected()
  }

  get nextDue() {
    return this.#native.nextDue()
  }

  get readingFilters() {
    return this.#native.readingFilters()
  }

  get subscriptions() {
    return this.#native.subscriptions()
  }

  get delivery() {
    return this.#delivery
  }

  get keyring() {
    return this.#keyring
  }

  get counts() {
    const counts = this.#native.counts()
    return Object.fromEntries(VERDICTS.map((verdict, at) => [verdict, counts[at]]))
  }

  get falseSessions() {
    return this.#native.falseSessions()
  }

  get unreadableBodies() {
    return this.#native.unreadableBodies()
  }

  get trouble() {
    return this.#native.trouble()
  }

  #reading(topic, retained) {
    const words = this.#words
    const device = words[DEVICE]
    const flags = words[FLAGS]
    const isSealed = (flags & SEALED) !== 0
    const isProtected = flags & PROTECTED
    return new Message(
      'fresh',
      this.#devices[device],
      isSealed ? null : this.#nodeIds[device],
      this.#groups[words[GROUP]],
      copy(this.#answer, words[LENGTH]),
      'data',
      isSealed ? this.#addresses[device] : null,
      isSealed ? this.#longs[COUNTER] : null,
      isSealed ? words[EPOCH] : null,
      (flags & ADVANCED) !== 0,
      (flags & BOUND) !== 0,
      topic,
      retained,
      isProtected !== 0,
      null,
      null,
      this.#reasons[isProtected],
    )
  }

  #other(topic, retained) {
    const last = this.#native.last()
    const { undone } = last
    const done = undone === undefined ? undone : () => this.#native.done(undone)
    return Message.fromNative(last, topic, retained, done)
  }

  #number(topic) {
    const known = this.#topics.get(topic)
    if (known !== undefined) return known
    if (this.#topics.size >= TOPICS_KEPT) {
      this.#topics.clear()
      this.#native.forgetTopics()
    }
    const number = this.#native.topic(text(topic, 'topic'))
    this.#topics.set(topic, number)
    return number
  }

  /** The frames before it were accepted: their data must not be lost with the error. */
  #failed(opened) {
    try {
      this.#native.failure()
    } catch (error) {
      throw Object.assign(error, { opened })
    }
  }
}

function copy(answer, length) {
  const data = Buffer.allocUnsafe(length)
  if (length > SHORT) {
    answer.copy(data, 0, HEAD, HEAD + length)
  } else {
    for (let at = 0; at < length; at++) data[at] = answer[HEAD + at]
  }
  return data
}

module.exports = { Receiver }
