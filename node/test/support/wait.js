'use strict'

const { setTimeout: sleep } = require('node:timers/promises')

const PATIENCE = 60_000

/** Waits until `check` answers something true, and returns it. `what` may be a function. */
async function waitFor(check, what, patience = PATIENCE) {
  const deadline = Date.now() + patience
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${typeof what === 'function' ? what() : what}`)
    }
    await sleep(20)
  }
}

module.exports = { waitFor }
