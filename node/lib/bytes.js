'use strict'

const { argument } = require('./errors')

/**
 * The bytes of what a caller gives: a Buffer or another view as it is, a string as UTF-8, and
 * the `{type: 'Buffer', data: [..]}` that a Buffer becomes in JSON.
 */
function bytes(value, name) {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return Buffer.from(value)
  if (ArrayBuffer.isView(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  if (isBufferInJson(value)) return Buffer.from(value.data)
  throw argument(`${name} must be a Buffer, a Uint8Array or a string, not ${kind(value)}`)
}

function isBufferInJson(value) {
  return (
    value !== null &&
    typeof value === 'object' &&
    value.type === 'Buffer' &&
    Array.isArray(value.data) &&
    value.data.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)
  )
}

/** Its kind, never its content: that may be a key. */
function kind(value) {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

module.exports = { bytes, kind }
