'use strict'

const { optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { make, own } = require('./natives')

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

  get path() {
    return own(this).path()
  }
}

module.exports = { Store }
