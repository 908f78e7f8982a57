'use strict'

/** In the order in which they are decided, as in the core. */
const VERDICTS = Object.freeze([
  'malformed',
  'wrong_direction',
  'unknown_device',
  'revoked',
  'wrong_epoch',
  'forged',
  'stale_session',
  'downgraded',
  'replayed',
  'duplicate',
  'fresh',
])

const Verdict = Object.freeze(
  Object.fromEntries(VERDICTS.map((word) => [word.toUpperCase(), word])),
)

module.exports = { VERDICTS, Verdict }
