'use strict'

/** Commands that wait until their device shows a session: served in their order, or expired. */
class WaitingRoom {
  #entries = []
  #timer
  #isReady
  #serve
  #expired

  constructor({ isReady, serve, expired }) {
    this.#isReady = isReady
    this.#serve = serve
    this.#expired = expired
  }

  get size() {
    return this.#entries.length
  }

  has(device) {
    return this.#entries.some((entry) => entry.device === device)
  }

  enter(entry, patience) {
    this.#entries.push({ ...entry, until: Date.now() + patience })
    this.#schedule()
  }

  /** Serves whoever can be served now: for each device the first that waits. */
  look() {
    const seen = new Set()
    for (const entry of [...this.#entries]) {
      if (seen.has(entry.device)) continue
      seen.add(entry.device)
      if (!this.#isReady(entry.device)) continue
      this.#leave(entry)
      this.#serve(entry)
    }
    this.#schedule()
  }

  /** Empties it, and answers who was in it. */
  clear() {
    clearTimeout(this.#timer)
    return this.#entries.splice(0)
  }

  #leave(entry) {
    this.#entries.splice(this.#entries.indexOf(entry), 1)
  }

  #schedule() {
    clearTimeout(this.#timer)
    if (this.#entries.length === 0) return
    const next = Math.min(...this.#entries.map(({ until }) => until))
    this.#timer = setTimeout(() => this.#expire(), Math.max(0, next - Date.now()))
  }

  #expire() {
    const now = Date.now()
    for (const entry of this.#entries.filter(({ until }) => until <= now)) {
      this.#leave(entry)
      this.#expired(entry)
    }
    this.#schedule()
  }
}

module.exports = { WaitingRoom }
