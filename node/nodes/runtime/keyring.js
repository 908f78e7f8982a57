'use strict'

const { EventEmitter } = require('node:events')
const { Receiver, Sender } = require('../../lib')
const { Topics } = require('./topics')
const { Trouble } = require('./trouble')

// The shortest wait for what is due, and the pause after the store failed to mint an ID.
const TICK = 20
const PAUSE = 10_000
// A published ID that does not come back from its topic is shown again: its publication was lost
// with the connection, or the broker has forgotten it. In ms, doubled each time.
const ECHO = 2_000
const ECHO_LONGEST = 16_000

const NONE = new Topics([])

/**
 * What the nodes of one keyring share: its receiver, its sender, and when something is due.
 *
 * Emits `change` (it became ready, or broke), `publication`, `command-session` (a device may have
 * a new session for commands), `acknowledged` (the tag of a command that arrived), `session`
 * (something about session IDs is new), and `problem`.
 */
class KeyringRuntime extends EventEmitter {
  #configuration
  #receiver
  #sender
  #sessions = NONE
  #hellos = NONE
  #toDevices = NONE
  #absence
  #timer
  #publishers = 0
  #unheard = new Map()
  #seen = new Map()
  #pausedUntil = 0

  constructor(configuration) {
    super()
    this.setMaxListeners(0)
    this.#configuration = configuration
    this.problem = null
  }

  /**
   * `empty`: nothing is configured yet; `absent`: its file was not made yet; `ready`; or `broken`,
   * with a `problem`.
   */
  get state() {
    if (this.problem) return 'broken'
    if (this.#absence) return 'absent'
    return this.#receiver ? 'ready' : 'empty'
  }

  get authority() {
    return this.#configuration.authority
  }

  get source() {
    return this.#configuration.source
  }

  get file() {
    return this.#configuration.file
  }

  get keyring() {
    return this.#ready().keyring
  }

  /** What keeps session IDs from being taken, in one sentence; null if nothing does. */
  get trouble() {
    return this.#receiver?.trouble ?? null
  }

  /** How many frames got each verdict since the start. */
  get counts() {
    return this.#ready().counts
  }

  get falseSessions() {
    return this.#receiver?.falseSessions ?? 0
  }

  /** Topics whose last publication was not heard back. */
  get unheard() {
    return [...this.#unheard.keys()]
  }

  /** Reads the keyring, at the start and after a change. Never throws: `problem` says why not. */
  load() {
    this.problem = null
    this.#receiver = this.#sender = this.#absence = undefined
    this.#sessions = this.#hellos = this.#toDevices = NONE
    this.#unheard.clear()
    try {
      if (!this.#configuration.isEmpty) {
        const keyring = this.#configuration.keyring()
        this.store ??= this.#configuration.store()
        this.#receiver = new Receiver(keyring, this.store, { authority: this.authority })
        this.#sender = new Sender(keyring, this.store)
        this.#sort(keyring)
      }
    } catch (error) {
      this.#receiver = this.#sender = undefined
      if (this.#isNew(error)) this.#absence = error
      else this.problem = error
    }
    this.emit('change')
    this.#schedule()
  }

  close() {
    clearTimeout(this.#timer)
    this.removeAllListeners()
    this.#publishers = 0
  }

  /** Opens a frame. What is fresh and no reading has no data, and has been dealt with. */
  open(payload, topic, retained) {
    const message = this.#ready().open(payload, { topic, retained })
    const { verdict, device, kind, acknowledged, epoch } = message
    if (verdict === 'fresh') this.#seen.set(device, { lastSeen: Date.now(), epoch })
    // A duplicate tells it as well: another receiver on this store may have been the first.
    if (verdict === 'fresh' || verdict === 'duplicate') {
      if (acknowledged !== null) this.emit('acknowledged', acknowledged)
      // With its acknowledgement of a welcome a sealed device has a new session.
      if (kind !== 'data') this.emit('command-session')
    }
    // A hello wants a welcome, and under the policy `strict` a frame ends its session.
    this.#schedule()
    return message
  }

  /** Whether what comes on a topic is for the protocol alone: no reading is there. */
  owns(topic) {
    return this.isSession(topic) || this.isForDevice(topic) || this.isHello(topic)
  }

  /** Whether a topic is of sessions or beacons: its messages are for `hear`. */
  isSession(topic) {
    return this.#sessions.has(topic)
  }

  /** Whether devices hear a topic, and nobody else: commands and welcomes. */
  isForDevice(topic) {
    return this.#toDevices.has(topic)
  }

  /** Whether a topic is one of hellos: its messages are for `open`. */
  isHello(topic) {
    return this.#hellos.has(topic)
  }

  /** Takes a message of a session topic; false if it is none. */
  hear(payload, topic, retained) {
    const receiver = this.#ready()
    if (!this.isSession(topic)) return false
    if (receiver.hear(payload, { topic, retained })) {
      const unheard = this.#unheard.get(topic)
      if (unheard && unheard.payload.equals(Buffer.from(payload))) this.#unheard.delete(topic)
      this.emit('session')
      this.#schedule()
    }
    if (this.#sender.hear(payload, { topic })) this.emit('command-session')
    return true
  }

  isReady(device) {
    this.#ready()
    return this.#sender.isReady(device)
  }

  seal(device, data) {
    this.#ready()
    return this.#sender.seal(device, data)
  }

  /**
   * When a device's last fresh message came, in ms since 1970, and its epoch; or null. Of a sealed
   * one the store knows it, of a classic one only this process.
   */
  seen({ name, address }) {
    const known = address === null ? null : this.store.sealedDevice(address)
    if (known) return { lastSeen: known.lastSeen * 1000, epoch: known.epoch }
    return this.#seen.get(name) ?? { lastSeen: null, epoch: null }
  }

  /** From now on somebody publishes what is due; returns what ends that. */
  publish() {
    this.#publishers++
    this.#receiver?.reconnected()
    this.#schedule()
    return () => {
      this.#publishers--
      this.#schedule()
    }
  }

  /** Whether there is no file because nobody has made one: where there was a state, it is lost. */
  #isNew({ code }) {
    return code === 'no_file' && !this.store && !this.#configuration.hasState
  }

  /** What each topic of the protocol is for. */
  #sort(keyring) {
    const { devices, helloFilters, downFilters } = keyring
    const hellos = new Set(helloFilters)
    const heard = [...this.#receiver.subscriptions, ...this.#sender.subscriptions]
    this.#sessions = new Topics(heard.filter((topic) => !hellos.has(topic)))
    this.#hellos = new Topics(helloFilters)
    const commands = devices.map(({ commandTopic }) => commandTopic).filter((each) => each !== null)
    this.#toDevices = new Topics([...downFilters, ...commands])
  }

  #ready() {
    const failure = this.problem ?? this.#absence
    if (failure) throw new Trouble(failure.code ?? 'broken', failure.message)
    if (!this.#receiver) {
      throw new Trouble('no_keys', 'this keyring has no keys yet: type them in, or name its file')
    }
    return this.#receiver
  }

  #schedule() {
    clearTimeout(this.#timer)
    if (this.#publishers === 0 || !this.#receiver) return
    const due = this.#receiver.nextDue ?? Infinity
    const echo = Math.min(...[...this.#unheard.values()].map(({ until }) => until - Date.now()))
    const wait = Math.max(Math.min(due, echo), this.#pausedUntil - Date.now(), TICK)
    if (wait !== Infinity) this.#timer = setTimeout(() => this.#serve(), wait)
  }

  #serve() {
    try {
      this.#showAgain()
      for (const publication of this.#receiver.publications()) this.#send(publication)
    } catch (error) {
      this.#pausedUntil = Date.now() + PAUSE
      this.emit('problem', error)
    }
    this.#schedule()
  }

  #send(publication) {
    const { topic, payload } = publication
    // Of what is not retained, like a welcome, nothing comes back.
    if (publication.retain) this.#await(topic, payload)
    this.emit('publication', publication)
    this.emit('session')
  }

  #await(topic, payload) {
    const before = this.#unheard.get(topic)
    const again = before?.payload.equals(payload)
    const patience = again ? Math.min(2 * before.patience, ECHO_LONGEST) : ECHO
    this.#unheard.set(topic, { payload, patience, until: Date.now() + patience })
  }

  #showAgain() {
    const now = Date.now()
    if ([...this.#unheard.values()].every(({ until }) => now < until)) return
    this.#receiver.reconnected()
    this.emit('session')
  }
}

module.exports = { KeyringRuntime }
