'use strict'

/**
 * Commands that wait for their device: served in their order, or expired. `serve` answers null once
 * there is no more to do for one, else the reason why it goes on waiting.
 */
class WaitingRoom {
  #entries = []
  #timer
  #serve
  #expired

  constructor({ serve, expired }) {
    this.#serve = serve
    this.#expired = expired
  }

  get size() {
    return this.#entries.length
  }

  /** Why the first one of a device waits; undefined if none does. */
  reason(device) {
    return this.#entries.find((entry) => entry.device === device)?.reason
  }

  enter(entry, patience) {
    this.#entries.push({ ...entry, until: Date.now() + patience })
    this.#schedule()
  }

  /** Serves whoever can be served now: of each device the first. */
  look() {
    const seen = new Set()
    for (const entry of [...this.#entries]) {
      if (seen.has(entry.device)) continue
      seen.add(entry.device)
      const reason = this.#serve(entry)
      if (reason === null) this.#leave(entry)
      else entry.reason = reason
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
