'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

const PATIENCE = 10_000
const KEPT = 4_000

/** A process of the demo, from its start to its end. */
class Child {
  #name
  #process
  #ask
  #isAsked = false
  #said = ''

  /**
   * @param name for people
   * @param process what `spawn` answered; what it writes is kept for the case that it breaks
   * @param ask asks it to end
   */
  constructor(name, process, ask) {
    this.#name = name
    this.#process = process
    this.#ask = ask
    for (const stream of [process.stdout, process.stderr]) {
      stream?.on('data', (chunk) => (this.#said = (this.#said + chunk).slice(-KEPT)))
    }
    /** Fulfilled when it has ended. */
    this.ended = new Promise((resolve) => {
      process.once('error', (error) => {
        this.#said += error.message
        resolve()
      })
      process.once('close', resolve)
    })
    /** Rejected with its last words if it ends before it was asked to. */
    this.broke = this.ended.then(() => {
      if (this.#isAsked) return new Promise(() => {})
      throw new Error(`${this.#name} ended. The last words were:\n${this.#said.trimEnd()}`)
    })
    // Who waits for it hears of it; before, nobody does.
    this.broke.catch(() => {})
  }

  /** What it has written, the last of it. */
  get said() {
    return this.#said
  }

  /** Asks it to end; makes it end if it does not, or as soon as `hurry` is aborted. */
  async stop(hurry) {
    this.#isAsked = true
    this.#ask()
    const patience = new AbortController()
    const kill = () => this.#process.kill('SIGKILL')
    hurry.addEventListener('abort', kill)
    if (hurry.aborted) kill()
    sleep(PATIENCE, null, { signal: patience.signal }).then(kill, () => {})
    await this.ended
    patience.abort()
    hurry.removeEventListener('abort', kill)
  }
}

module.exports = { Child }
