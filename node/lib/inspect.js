'use strict'

const { list, optionalText } = require('./arguments')
const { backend } = require('./backend')
const { bytes } = require('./bytes')
const { Keyring } = require('./keyring')
const { nativeOf } = require('./natives')
const { Store } = require('./store')

function inspect(payload, { keyring, sessions = [], store, topic } = {}) {
  const inspection = backend().inspect(
    bytes(payload, 'payload'),
    keyring === undefined ? keyring : nativeOf(keyring, Keyring, 'keyring'),
    list(sessions, 'sessions').map((session) => bytes(session, 'a session')),
    store === undefined ? store : nativeOf(store, Store, 'store'),
    optionalText(topic, 'topic'),
  )
  const {
    frame,
    fields,
    layout = null,
    malformed = null,
    offset = null,
    reason = null,
  } = inspection
  const findings = inspection.findings.map(finding)
  return { frame, layout, fields, malformed, offset, reason, findings }
}

// What is not there is null everywhere, where the backend leaves it out.
function finding({ group = null, owner = null, fit: found }) {
  const fit = found && {
    ...found,
    sessionTime: found.sessionTime ?? null,
    device: found.device ?? null,
  }
  return { group, owner, fit: fit ?? null }
}

module.exports = { inspect }
