'use strict'

/** The caller gave something of the wrong kind. */
function argument(message) {
  return Object.assign(new TypeError(message), { code: 'invalid_argument' })
}

module.exports = { argument }
