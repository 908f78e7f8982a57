'use strict'

const { flag, optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { ClassicKeys } = require('./classic')
const { make, nativeOf, own } = require('./natives')

class KeyringFile {
  constructor() {
    throw new TypeError('use KeyringFile.create or KeyringFile.open')
  }

  static get defaultPath() {
    return backend().KeyringFile.defaultPath()
  }

  static create(path) {
    return make(KeyringFile, backend().KeyringFile.create(optionalText(path, 'path')))
  }

  static open(path) {
    return make(KeyringFile, backend().KeyringFile.open(optionalText(path, 'path')))
  }

  get path() {
    return own(this).path()
  }

  addGroup(
    name,
    {
      topic,
      sessionTopic,
      layout = 'hex',
      data = 'text',
      keys,
      dangerAcceptReplays = false,
      allowArticleKeys = false,
    } = {},
  ) {
    const group = {
      name: text(name, 'name'),
      topic: text(topic, 'topic'),
      sessionTopic: optionalText(sessionTopic, 'sessionTopic'),
      layout: text(layout, 'layout'),
      data: text(data, 'data'),
      dangerAcceptReplays: flag(dangerAcceptReplays, 'dangerAcceptReplays'),
      allowArticleKeys: flag(allowArticleKeys, 'allowArticleKeys'),
    }
    own(this).addGroup(group, keys === undefined ? keys : nativeOf(keys, ClassicKeys, 'keys'))
  }

  addDevice(name, { group, nodeId, topic } = {}) {
    own(this).addDevice(
      text(name, 'name'),
      text(group, 'group'),
      optionalText(nodeId, 'nodeId'),
      optionalText(topic, 'topic'),
    )
  }
}

module.exports = { KeyringFile }
