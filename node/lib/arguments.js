'use strict'

const { kind } = require('./bytes')
const { argument } = require('./errors')

function text(value, name) {
  if (typeof value !== 'string') throw argument(`${name} must be a string, not ${kind(value)}`)
  return value
}

/** `undefined` and `null` are no text. */
function optionalText(value, name) {
  return value === undefined || value === null ? undefined : text(value, name)
}

function flag(value, name) {
  if (typeof value !== 'boolean') {
    throw argument(`${name} must be true or false, not ${kind(value)}`)
  }
  return value
}

function list(value, name) {
  if (!Array.isArray(value)) throw argument(`${name} must be an array, not ${kind(value)}`)
  return value
}

module.exports = { flag, list, optionalText, text }
