'use strict'

/** What a message meets where there are no keys, or none that can be used. */
class Trouble extends Error {
  constructor(code, message) {
    super(message)
    this.name = 'EspsealError'
    this.code = code
  }
}

module.exports = { Trouble }
