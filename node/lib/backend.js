'use strict'

const { VERDICTS } = require('./verdict')

// What can do the work, the best first. Each has the exports of native/index.d.ts.
const CANDIDATES = [{ name: 'native', load: () => require('../native') }]

let chosen

/** The backend's exports; the first call loads it. */
function backend() {
  chosen ??= choose(CANDIDATES)
  return chosen.exports
}

/** Which one it is, in one word. */
function backendName() {
  backend()
  return chosen.name
}

function choose(candidates) {
  const failures = []
  for (const { name, load } of candidates) {
    try {
      const exports = load()
      check(exports)
      return { name, exports }
    } catch (error) {
      failures.push(`${name}: ${error.message}`)
    }
  }
  const error = new Error(
    `espseal has no binary for ${process.platform} on ${process.arch} that this Node loads ` +
      `(${failures.join('; ')})`,
  )
  error.code = 'no_backend'
  throw error
}

/** A verdict travels as its place in the list, so both sides must have the same one. */
function check(exports) {
  if (exports.verdicts().join() !== VERDICTS.join()) {
    throw new Error('it is of another version; install the package again')
  }
}

module.exports = { backend, backendName, choose }
