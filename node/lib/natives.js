'use strict'

const { kind } = require('./bytes')
const { argument } = require('./errors')

const natives = new WeakMap()

/** Ties one of our objects to what stands behind it in the backend. */
function bind(object, native) {
  natives.set(object, native)
  return object
}

/** An object of a class that only its factories make. */
function make(type, native) {
  return bind(Object.create(type.prototype), native)
}

/** What stands behind an object that a caller gave. */
function nativeOf(object, type, name) {
  if (!(object instanceof type) || !natives.has(object)) {
    throw argument(`${name} must be a ${type.name}, not ${kind(object)}`)
  }
  return natives.get(object)
}

/** What stands behind `this`. */
function own(object) {
  return natives.get(object)
}

module.exports = { bind, make, nativeOf, own }
