'use strict'

// A device that never answers must not fill the memory.
const KEPT = 1_000

/** Commands whose acknowledgement may still come, by their tags. */
class Awaited {
  #commands = new Map()

  add(tag, command) {
    this.#commands.set(tag, command)
    if (this.#commands.size > KEPT) this.#commands.delete(this.#commands.keys().next().value)
  }

  /** The command of this tag, once; or undefined. */
  take(tag) {
    const command = this.#commands.get(tag)
    this.#commands.delete(tag)
    return command
  }
}

module.exports = { Awaited }
