'use strict'

// The shared vectors, made by an implementation that shares no code with the core.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { sealed } = require('../lib')
const { read } = require('./support/vectors')

function keyOf(record) {
  if (record.text('device_key') !== undefined) {
    return new sealed.DeviceKey(record.bytes('device_key'))
  }
  const key = sealed.DeviceKey.ofFleet(record.bytes('fleet_key'), record.text('address'))
  return key.ratchet(Number(record.text('epoch')))
}

/** In full, or a byte and how often it stands. */
function plaintextOf(record) {
  if (record.text('plaintext') !== undefined) return record.bytes('plaintext')
  const times = Number(record.text('plaintext_repeat'))
  return Buffer.alloc(times, record.bytes('plaintext_byte'))
}

const counterOf = (record) => BigInt(`0x${record.text('counter')}`)
const sessionsOf = (record) => (record.text('session') === '' ? [] : [record.bytes('session')])

function open(record, frame) {
  return sealed.open(frame, keyOf(record), {
    direction: record.text('direction'),
    sessions: sessionsOf(record),
    context: record.bytes('context'),
  })
}

function seal(record) {
  const [session] = sessionsOf(record)
  return sealed.seal(keyOf(record), plaintextOf(record), {
    address: record.text('address'),
    counter: counterOf(record),
    epoch: Number(record.text('epoch')),
    direction: record.text('direction'),
    kind: record.text('kind'),
    session,
    context: record.bytes('context'),
  })
}

describe('sealed_seal.txt', () => {
  for (const record of read('sealed_seal.txt')) {
    it(record.name, () => {
      if (record.text('expect') !== 'sealed') {
        assert.throws(() => seal(record), { code: record.text('expect') })
        return
      }
      const frame = seal(record)
      if (record.text('frame_length') === undefined) {
        assert.deepEqual(frame, record.bytes('frame'))
        assert.equal(sealed.armor(frame), record.text('armor'))
        assert.deepEqual(sealed.disarm(record.text('armor')), frame)
      } else {
        assert.equal(frame.length, Number(record.text('frame_length')))
        assert.deepEqual(frame.subarray(0, 52), record.bytes('frame_start'))
        assert.deepEqual(frame.subarray(-16), record.bytes('frame_end'))
      }
      const again = open(record, frame)
      assert.equal(again.verdict, 'fresh')
      assert.deepEqual(again.data, plaintextOf(record))
    })
  }
})

describe('sealed_open.txt', () => {
  for (const record of read('sealed_open.txt')) {
    it(record.name, () => {
      const forms = [record.bytes('frame'), record.text('armor')].filter((form) => form?.length)
      assert.ok(forms.length > 0)
      for (const form of forms) {
        const opened = open(record, form)
        assert.equal(opened.verdict, record.text('expect'))
        assert.equal(opened.address, record.text('address'))
        assert.equal(opened.epoch, Number(record.text('epoch')))
        assert.equal(opened.kind, record.text('kind'))
        assert.equal(opened.counter, counterOf(record))
        assert.deepEqual(opened.data, plaintextOf(record))
        assert.equal(opened.sessionBound, record.text('session') !== '')
        assert.equal(opened.session, opened.sessionBound ? 0 : null)
      }
    })
  }
})

const ARMOR_ALONE = new Set(['not_base64url', 'armor_length', 'trailing_bits'])

describe('sealed_reject.txt', () => {
  for (const record of read('sealed_reject.txt')) {
    it(record.name, () => {
      const repeat = Number(record.text('frame_repeat') ?? 0)
      const more = Buffer.alloc(repeat, record.bytes(repeat ? 'frame_byte' : 'frame'))
      let payload = Buffer.concat([record.bytes('frame'), more])
      if (record.text('form') === 'armor' && !payload.toString('latin1').startsWith('9Q')) {
        // By its first bytes the opener takes it for something else: no armor starts so.
        if (ARMOR_ALONE.has(record.text('reason'))) {
          assert.throws(() => sealed.disarm(payload), { code: 'invalid_argument' })
          return
        }
        payload = sealed.disarm(payload)
      }
      const opened = open(record, payload)
      assert.equal(opened.verdict, record.text('expect'))
      assert.equal(opened.malformed, record.text('reason') ?? null)
      const offset = record.text('offset')
      assert.equal(opened.offset, offset === undefined ? null : Number(offset))
      assert.deepEqual([opened.data, opened.address, opened.counter], [null, null, null])
    })
  }
})

describe('sealed_keys.txt', () => {
  const records = read('sealed_keys.txt')
  const derived = {
    device_key(record) {
      const key = sealed.DeviceKey.ofFleet(record.bytes('fleet_key'), record.text('address'))
      assert.deepEqual(key.expose(), record.bytes('device_key'))
    },
    ratchet(record) {
      const key = new sealed.DeviceKey(record.bytes('device_key'))
      const steps = Number(record.text('steps'))
      assert.deepEqual(key.ratchet(steps).expose(), record.bytes('ratcheted'))
    },
    session(record) {
      const key = new sealed.DeviceKey(record.bytes('device_key'))
      const parts = [record.bytes('beacon'), record.bytes('random')]
      const session = sealed.deviceSession(key, counterOf(record), ...parts)
      assert.deepEqual(session, record.bytes('session'))
    },
  }

  it('leaves out only what the other functions do by themselves, and what needs an epoch', () => {
    const left = records.filter((record) => !isDerivedHere(record))
    const why = new Set(left.map((record) => `${record.text('derive')}: ${record.text('expect')}`))
    assert.deepEqual(why, new Set(['frame_keys: derived', 'ratchet: epoch_exhausted']))
  })

  function isDerivedHere(record) {
    return record.text('expect') === 'derived' && record.text('derive') in derived
  }

  for (const record of records.filter(isDerivedHere)) {
    it(record.name, () => derived[record.text('derive')](record))
  }
})
