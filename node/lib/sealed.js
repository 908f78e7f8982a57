'use strict'

const { list, number, text } = require('./arguments')
const { backend } = require('./backend')
const { bytes, kind: kindOf } = require('./bytes')
const { argument } = require('./errors')
const { bind, make, nativeOf, own } = require('./natives')

const EMPTY = Buffer.alloc(0)

class DeviceKey {
  constructor(key) {
    bind(this, new (backend().DeviceKey)(bytes(key, 'key')))
  }

  static ofFleet(fleetKey, address) {
    const { DeviceKey: Native } = backend()
    return make(DeviceKey, Native.ofFleet(bytes(fleetKey, 'fleetKey'), text(address, 'address')))
  }

  ratchet(steps = 1) {
    return make(DeviceKey, backend().DeviceKey.ratcheted(own(this), number(steps, 'steps', 0xffff)))
  }

  expose() {
    return own(this).expose()
  }
}

function open(frame, key, { direction = 'uplink', sessions = [], context = EMPTY } = {}) {
  const opened = backend().sealedOpen(
    bytes(frame, 'frame'),
    nativeOf(key, DeviceKey, 'key'),
    text(direction, 'direction'),
    list(sessions, 'sessions').map((session) => bytes(session, 'a session')),
    bytes(context, 'context'),
  )
  const { verdict, sessionBound } = opened
  const { kind = null, address = null, epoch = null, counter = null, session = null } = opened
  const { data = null, malformed = null, offset = null } = opened
  const header = { kind, address, epoch, counter, sessionBound, session }
  return { verdict, ...header, data, malformed, offset }
}

function seal(
  key,
  data,
  {
    address,
    counter,
    epoch = 0,
    direction = 'uplink',
    kind = 'data',
    session,
    context = EMPTY,
  } = {},
) {
  const header = {
    address: text(address, 'address'),
    counter: count(counter, 'counter'),
    epoch: number(epoch, 'epoch', 0xffff),
    direction: text(direction, 'direction'),
    kind: text(kind, 'kind'),
  }
  return backend().sealedSeal(
    nativeOf(key, DeviceKey, 'key'),
    bytes(data, 'data'),
    header,
    session === undefined ? session : bytes(session, 'session'),
    bytes(context, 'context'),
  )
}

function armor(frame) {
  return backend().sealedArmor(bytes(frame, 'frame'))
}

function disarm(armored) {
  return backend().sealedDisarm(bytes(armored, 'text'))
}

function deviceSession(key, counter, beacon, random) {
  return backend().sealedDeviceSession(
    nativeOf(key, DeviceKey, 'key'),
    count(counter, 'counter'),
    bytes(beacon, 'beacon'),
    bytes(random, 'random'),
  )
}

/** A counter exceeds what a number holds exactly. */
function count(value, name) {
  if (typeof value === 'bigint') return value
  if (Number.isSafeInteger(value)) return BigInt(value)
  throw argument(`${name} must be a bigint or a whole number, not ${kindOf(value)}`)
}

module.exports = { DeviceKey, open, seal, armor, disarm, deviceSession }
