'use strict'

// A million frames that no device sent: a verdict for each, whatever the bytes.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { Device, Keyring, Sender, Store, VERDICTS, inspect } = require('../lib')
const { SEALED, keyringText, pair, settle } = require('./support/keyring')

const MILLION = 1_000_000
const HARMLESS = new Set([
  'malformed',
  'forged',
  'duplicate',
  'wrong_direction',
  'unknown_device',
  'wrong_epoch',
])

/** xorshift128+ in 32 bits: the same bytes in every run, so that a failure comes again. */
function generator(seed) {
  let state = seed >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** Random bytes, and frames that were good and damaged in one of many ways. */
function hostileFrame(next, goods) {
  const kind = next(8)
  const good = goods[next(goods.length)]
  if (kind < 2) return Buffer.from(Array.from({ length: next(90) }, () => next(256)))
  if (kind === 2)
    return Buffer.from(Array.from({ length: next(200) }, () => '0f,F 9Q'.charCodeAt(next(7))))
  const frame = Buffer.from(good)
  if (kind === 3) return frame.subarray(0, next(frame.length))
  if (kind === 4) return Buffer.concat([frame, frame.subarray(0, 1 + next(64))])
  frame[next(frame.length)] ^= 1 + next(255)
  if (kind > 5) frame[next(frame.length)] = '0123456789abcdef,'.charCodeAt(next(17))
  return frame
}

describe('a million hostile frames', () => {
  const { keyring, receiver, device, publications } = pair({ text: keyringText() + SEALED })
  const door = Device.fromKeyring(keyring, 'door')
  const beacon = publications.find(({ topic }) => topic === door.beaconTopic)
  assert.ok(door.hear(beacon.payload))
  settle(receiver, door)
  const seen = [device, door].map((each) => each.seal('a reading of 20 byte'))
  for (const frame of seen) assert.equal(receiver.open(frame).verdict, 'fresh')

  it('each get a verdict from open', () => {
    const next = generator(1)
    const counts = {}
    for (let number = 0; number < MILLION / 2; number++) {
      const { verdict, data } = receiver.open(hostileFrame(next, seen), { topic: 'sensors/1' })
      counts[verdict] = (counts[verdict] ?? 0) + 1
      assert.equal(data, null)
    }
    assert.ok(
      Object.keys(counts).every((verdict) => HARMLESS.has(verdict)),
      String(counts),
    )
    assert.ok(counts.malformed > 10_000 && counts.forged > 10_000)
  })

  it('each get a verdict from openMany', () => {
    const next = generator(2)
    const frames = Array.from({ length: MILLION / 2 }, () => hostileFrame(next, seen))
    const { verdicts, data } = receiver.openMany(frames, { topic: 'sensors/1', retained: true })
    assert.equal(verdicts.length, frames.length)
    assert.ok(new Set(verdicts).size > 1)
    assert.ok([...new Set(verdicts)].every((place) => HARMLESS.has(VERDICTS[place])))
    assert.equal(data.length, 0)
  })

  it('bother no other end', () => {
    const next = generator(3)
    const sender = new Sender(keyring, Store.memory())
    const [topic] = sender.subscriptions
    const node = Device.fromKeyring(keyring, 'kitchen')
    node.drawCommandSession()
    for (let number = 0; number < 20_000; number++) {
      const frame = hostileFrame(next, seen)
      assert.ok(['malformed', 'forged'].includes(node.open(frame).verdict))
      assert.equal(node.hear(frame), /^[0-9a-f]{32}$/.test(frame.toString('latin1')))
      assert.equal(receiver.hear(frame, { topic: 'sensors/session' }), true)
      assert.equal(sender.hear(frame, { topic }), true)
      inspect(frame, { keyring })
    }
    assert.equal(receiver.open(device.seal('still here')).text, 'still here')
  })

  it('as a keyring or a device file are refused with a code', () => {
    const next = generator(4)
    const good = keyringText() + SEALED
    let refused = 0
    for (let number = 0; number < 2_000; number++) {
      const text = hostileFrame(next, [Buffer.from(good)]).toString('latin1')
      try {
        Keyring.parse(text)
      } catch (error) {
        assert.equal(typeof error.code, 'string')
        refused++
      }
    }
    assert.ok(refused > 1_000)
  })
})
