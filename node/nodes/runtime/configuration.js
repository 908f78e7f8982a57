'use strict'

const { existsSync } = require('node:fs')
const { join, resolve } = require('node:path')
const { Keyring, KeyringFile, Store } = require('../../lib')
const { keyringText } = require('./keyring-text')
const { drawKeys } = require('./trial')

const TYPED = ['ivKey', 'dataKey', 'staticIv', 'passphrase', 'sessionKey']

/** What a keyring node says, as the library takes it. */
class Configuration {
  /**
   * @param config the node's properties
   * @param credentials its secrets
   * @param folder Node-RED's user directory
   */
  constructor(config, credentials, folder) {
    this.source = ['file', 'typed', 'trial'].includes(config.source) ? config.source : 'file'
    this.authority = config.authority !== false
    this.#config = config
    this.#credentials = credentials ?? {}
    this.#folder = folder
  }

  #config
  #credentials
  #folder
  #trial

  /** The keyring's file, for the source `file`. */
  get file() {
    if (this.source !== 'file') return null
    const given = (this.#config.file ?? '').trim()
    return given === '' ? KeyringFile.defaultPath : resolve(this.#folder, given)
  }

  /** Whether there is nothing to read yet, which is no mistake: the node is new, or imported. */
  get isEmpty() {
    return this.source === 'typed' && TYPED.some((name) => !this.#credentials[name])
  }

  keyring() {
    if (this.source === 'file') return Keyring.load(this.file)
    const config = this.#config
    const group = {
      name: config.group,
      topic: config.topic,
      sessionTopic: config.sessionTopic,
      commandTopic: config.commandTopic,
      commandSessionTopic: config.commandSessionTopic,
      layout: config.layout || 'hex',
      data: config.data || 'text',
      allowArticleKeys: config.allowArticleKeys,
      devices: config.devices ?? [],
    }
    return Keyring.parse(keyringText(group, this.#keys()))
  }

  store() {
    const file = this.#stateFile
    return file === null ? Store.memory() : Store.sqlite(file)
  }

  /** Whether something is remembered from before this start. */
  get hasState() {
    return this.#stateFile !== null && existsSync(this.#stateFile)
  }

  get #stateFile() {
    if (this.#config.state === 'memory' || this.source === 'trial') return null
    const given = (this.#config.stateFile ?? '').trim()
    const own = join('espseal', `${this.#config.id}.sqlite3`)
    return resolve(this.#folder, given === '' ? own : given)
  }

  #keys() {
    if (this.source === 'trial') {
      this.#trial ??= drawKeys()
      return this.#trial
    }
    return { format: this.#config.keyFormat, ...this.#credentials }
  }
}

module.exports = { Configuration }
