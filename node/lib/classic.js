'use strict'

const { flag, list, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes } = require('./bytes')
const { bind, make, nativeOf } = require('./natives')

class ClassicKeys {
  constructor({ ivKey, dataKey, staticIv, passphrase } = {}) {
    const keys = { ivKey, dataKey, staticIv, passphrase }
    const parts = Object.entries(keys).map(([name, key]) => bytes(key, name))
    bind(this, new (backend().ClassicKeys)(...parts))
  }

  static generate() {
    return make(ClassicKeys, backend().ClassicKeys.generate())
  }
}

function open(frame, keys, sessions, scheme = {}) {
  const parts = list(sessions, 'sessions').map((session) => bytes(session, 'a session'))
  const opened = backend().classicOpen(
    bytes(frame, 'frame'),
    nativeOf(keys, ClassicKeys, 'keys'),
    parts,
    words(scheme),
  )
  const { verdict, node = null, data = null, session = null, malformed = null } = opened
  return { verdict, node, data, session, malformed, offset: opened.offset ?? null }
}

function seal(keys, node, data, session, scheme = {}) {
  return sealWith(keys, node, data, session, undefined, scheme)
}

function dangerSealWithIv(keys, node, data, session, iv, scheme = {}) {
  return sealWith(keys, node, data, session, bytes(iv, 'iv'), scheme)
}

function sealWith(keys, node, data, session, iv, scheme) {
  return backend().classicSeal(
    nativeOf(keys, ClassicKeys, 'keys'),
    bytes(node, 'node'),
    bytes(data, 'data'),
    bytes(session, 'session'),
    words(scheme),
    iv,
  )
}

function sessionIdIsValid(sessionKey, payload) {
  return backend().sessionIdIsValid(bytes(sessionKey, 'sessionKey'), bytes(payload, 'payload'))
}

function words({ layout = 'hex', data = 'text', mac = 'unpadded', dangerAcceptReplays = false }) {
  return {
    layout: text(layout, 'layout'),
    data: text(data, 'data'),
    mac: text(mac, 'mac'),
    dangerAcceptReplays: flag(dangerAcceptReplays, 'dangerAcceptReplays'),
  }
}

module.exports = { ClassicKeys, open, seal, dangerSealWithIv, sessionIdIsValid }
