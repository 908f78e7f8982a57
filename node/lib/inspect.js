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
  const none = { layout: null, malformed: null, offset: null, reason: null }
  const findings = inspection.findings.map(finding)
  return { ...none, ...inspection, findings, sealed: sealedInspection(inspection.sealed) }
}

// What is not there is null everywhere, where the backend leaves it out.

function finding(found) {
  const { fit, claims } = found
  return {
    ...{ group: null, owner: null },
    ...found,
    fit: fit ? { sessionTime: null, sessionLife: null, device: null, ...fit } : null,
    claims: claims ? { device: null, ...claims } : null,
  }
}

function sealedInspection(sealed) {
  if (!sealed) return null
  const { listed } = sealed
  return {
    ...sealed,
    listed: listed ? { reachedEpoch: null, head: null, lastSeen: null, ...listed } : null,
    findings: sealed.findings.map(sealedFinding),
  }
}

function sealedFinding(found) {
  const { fit } = found
  const none = { device: null, sessionTime: null, sessionLife: null, body: null }
  return { fleet: null, ...found, fit: fit ? { ...none, ...fit } : null }
}

module.exports = { inspect }
