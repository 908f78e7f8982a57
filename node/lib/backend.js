'use strict'

const { loadAddon, remedy, system } = require('./addon')
const { VERDICTS } = require('./verdict')

// What can do the work, the best first. Each has the exports of native/index.d.ts.
const CANDIDATES = [{ name: 'native', load: loadAddon }]

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
    `espseal does not run on ${system()} (${failures.join('; ')}): ${remedy()}, ` +
      'as README.md says under Install',
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
