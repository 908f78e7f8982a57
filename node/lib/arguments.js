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

/** A whole number that the backend takes: `most` at most. */
function number(value, name, most = 0xffffffff) {
  if (Number.isInteger(value) && value >= 0 && value <= most) return value
  throw argument(`${name} must be a whole number from 0 to ${most}`)
}

function optionalNumber(value, name, most) {
  return value === undefined || value === null ? undefined : number(value, name, most)
}

function list(value, name) {
  if (!Array.isArray(value)) throw argument(`${name} must be an array, not ${kind(value)}`)
  return value
}

module.exports = { flag, list, number, optionalNumber, optionalText, text }
