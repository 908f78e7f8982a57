'use strict'

const { optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { make, own } = require('./natives')
const { VERDICTS } = require('./verdict')

class Store {
  constructor() {
    throw new TypeError('use Store.memory or Store.sqlite')
  }

  static memory() {
    return make(Store, backend().Store.memory())
  }

  static sqlite(path, { durability = 'process' } = {}) {
    const file = optionalText(path, 'path')
    return make(Store, backend().Store.sqlite(file, text(durability, 'durability')))
  }

  markRestored() {
    own(this).markRestored()
  }

  sealedDevice(address) {
    return own(this).sealedDevice(text(address, 'address'))
  }

  get counts() {
    const counts = own(this).counts()
    return Object.fromEntries(VERDICTS.map((verdict, at) => [verdict, counts[at]]))
  }

  get path() {
    return own(this).path()
  }
}

module.exports = { Store }
