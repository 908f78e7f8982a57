'use strict'

/** Thrown only where the caller asked for it. */
class Rejected extends Error {
  constructor(rejected) {
    super(`${rejected.verdict}: ${rejected.reason}`)
    this.name = 'Rejected'
    this.code = 'rejected'
    this.verdict = rejected.verdict
    // Not in a log of the error: it is the caller's to look at.
    Object.defineProperty(this, 'rejected', { value: rejected })
  }
}

module.exports = { Rejected }
