'use strict'

const EVERY = 1_000

/** Shows a node's status at most once a second, the last one always. */
class Status {
  #node
  #compute
  #shownAt = -Infinity
  #timer
  #last

  /** `compute` answers what to show; it is asked only when something is shown. */
  constructor(node, compute) {
    this.#node = node
    this.#compute = compute
  }

  update() {
    if (this.#timer) return
    const rest = this.#shownAt + EVERY - Date.now()
    if (rest <= 0) this.#show()
    else this.#timer = setTimeout(() => this.#show(), rest)
  }

  close() {
    clearTimeout(this.#timer)
  }

  #show() {
    this.#timer = undefined
    const status = this.#compute()
    const text = JSON.stringify(status)
    if (status === undefined || text === this.#last) return
    this.#last = text
    this.#shownAt = Date.now()
    this.#node.status(status)
  }
}

const look = (fill, shape) => (text) => ({ fill, shape, text })

module.exports = {
  Status,
  /** All is well. */
  good: look('green', 'dot'),
  /** Something waits, or was refused: nobody has to come. */
  note: look('yellow', 'ring'),
  /** Nothing has happened yet. */
  calm: look('grey', 'ring'),
  /** Somebody has to do something. */
  bad: look('red', 'ring'),
}
