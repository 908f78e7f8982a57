'use strict'

const assert = require('node:assert/strict')
const { inspect: show } = require('node:util')
const { describe, it } = require('node:test')
const { Device, Keyring, Message, Receiver, Rejected, Sender, Store } = require('../lib')
const { KEYS, keyringText, pair } = require('./support/keyring')

const TOPIC = 'sensors/kitchen'

describe('receiver.open', () => {
  it('opens a frame once', () => {
    const { receiver, device } = pair()
    const frame = device.seal('21.5 °C')
    const fresh = receiver.open(frame, { topic: TOPIC, retained: true })
    assert.ok(fresh instanceof Message)
    assert.deepEqual(
      { ...fresh },
      {
        verdict: 'fresh',
        device: 'kitchen',
        nodeId: '1234567',
        group: 'house',
        data: Buffer.from('21.5 °C'),
        kind: 'data',
        address: null,
        counter: null,
        epoch: null,
        advanced: true,
        sessionBound: true,
        topic: TOPIC,
        retained: true,
        replayProtected: true,
        mode: null,
        acknowledged: null,
        reason: 'it is verified and new',
      },
    )
    assert.equal(fresh.text, '21.5 °C')
    const again = receiver.open(frame)
    assert.deepEqual(
      [again.verdict, again.device, again.data, again.text, again.topic, again.retained],
      ['duplicate', 'kitchen', null, null, null, false],
    )
    assert.equal(receiver.counts.fresh, 1)
    assert.equal(receiver.counts.duplicate, 1)
    assert.equal(receiver.counts.forged, 0)
  })

  it('keeps what it answered apart from what it answers next', () => {
    const { receiver, device } = pair()
    const long = 'x'.repeat(300)
    const texts = ['one', '', long, 'three']
    const messages = texts.map((text) => receiver.open(device.seal(text)))
    assert.deepEqual(
      messages.map((message) => message.text),
      texts,
    )
  })

  for (const [kind, convert] of Object.entries({
    Buffer: (frame) => frame,
    Uint8Array: (frame) => new Uint8Array(frame),
    'a part of a larger memory': (frame) => Buffer.concat([frame, frame]).subarray(frame.length),
    DataView: (frame) => new DataView(new Uint8Array(frame).buffer),
    string: (frame) => frame.toString(),
    'a Buffer in JSON': (frame) => JSON.parse(JSON.stringify(frame)),
  })) {
    it(`takes ${kind}`, () => {
      const { receiver, device } = pair()
      assert.equal(receiver.open(convert(device.seal('1'))).text, '1')
    })
  }

  const nonBytes = {
    undefined: undefined,
    null: null,
    'a number': 5,
    'an array': [1],
    'an object': { type: 'Buffer', data: [256] },
    'a boolean': true,
  }
  for (const [kind, value] of Object.entries(nonBytes)) {
    it(`says what is wrong with ${kind}`, () => {
      const { receiver } = pair()
      assert.throws(() => receiver.open(value), { code: 'invalid_argument', message: /payload/ })
      assert.throws(() => receiver.openMany([value]), { code: 'invalid_argument' })
    })
  }

  it('tells verdicts apart, with reasons', () => {
    const { receiver, device, session } = pair()
    const changed = device.seal('1')
    changed[0] = changed[0] === 0x30 ? 0x31 : 0x30
    const forged = receiver.open(changed, { topic: TOPIC })
    assert.deepEqual([forged.verdict, forged.device, forged.data], ['forged', null, null])
    assert.match(forged.reason, /1 key sets/)
    const elsewhere = receiver.open(device.seal('1'), { topic: 'cellar/1' })
    assert.deepEqual([elsewhere.verdict, /topic/.test(elsewhere.reason)], ['forged', true])
    assert.equal(receiver.open('').verdict, 'malformed')
    assert.equal(receiver.open(Buffer.alloc(20000, 0x30)).verdict, 'malformed')

    const stranger = Keyring.parse(keyringText({ stranger: '77' }))
    const other = Device.fromKeyring(stranger, 'stranger')
    other.hear(session)
    const unknown = receiver.open(other.seal('1'), { topic: TOPIC })
    assert.deepEqual([unknown.verdict, unknown.nodeId], ['unknown_device', '77'])
    assert.match(unknown.reason, /keyring add device NAME --group 'house' --node-id '77'/)
  })

  it('throws Rejected for who asks for it', () => {
    const { receiver, device } = pair()
    const frame = device.seal('1')
    assert.equal(receiver.open(frame, { raiseRejected: true }).text, '1')
    assert.throws(
      () => receiver.open(frame, { raiseRejected: true }),
      (error) => {
        assert.ok(error instanceof Rejected)
        assert.deepEqual([error.code, error.verdict], ['rejected', 'duplicate'])
        assert.equal(error.rejected.device, 'kitchen')
        return true
      },
    )
  })

  it('remembers no end of topics', () => {
    const { receiver, device } = pair()
    for (let number = 0; number < 10_000; number++) {
      assert.equal(receiver.open('x', { topic: `elsewhere/${number}` }).verdict, 'malformed')
    }
    assert.equal(receiver.open(device.seal('1'), { topic: TOPIC }).verdict, 'fresh')
    assert.equal(receiver.open(device.seal('1'), { topic: 'elsewhere/1' }).verdict, 'forged')
  })

  it('marks what has no replay protection', () => {
    const danger = Keyring.parse(
      keyringText().replace('[[classic_group]]', '$&\ndanger_accept_replays = true'),
    )
    const receiver = new Receiver(danger, Store.memory())
    const message = receiver.open(Device.fromKeyring(danger, 'kitchen').seal('1'))
    assert.deepEqual([message.verdict, message.replayProtected], ['fresh', false])
    assert.match(message.reason, /1024/)
  })
})

describe('session IDs', () => {
  it('are minted, told when due, and defended', () => {
    const keyring = Keyring.parse(keyringText())
    const receiver = new Receiver(keyring, Store.memory())
    assert.equal(receiver.nextDue, 0)
    const [publication, ...rest] = receiver.publications()
    assert.deepEqual(rest, [])
    assert.deepEqual(
      [publication.topic, publication.qos, publication.retain, publication.payload.length],
      ['sensors/session', 1, true, 32],
    )
    assert.ok(receiver.nextDue > 29_000 && receiver.nextDue <= 30_000)
    assert.deepEqual(receiver.subscriptions, ['sensors/session'])
    assert.equal(receiver.hear('x', { topic: 'sensors/other' }), false)
    assert.equal(receiver.hear('no session', { topic: 'sensors/session' }), true)
    assert.equal(receiver.falseSessions, 1)
    assert.ok(receiver.nextDue <= 100)
    assert.equal(receiver.trouble, null)
  })

  it('are followed by who is no authority', () => {
    const keyring = Keyring.parse(keyringText())
    const authority = new Receiver(keyring, Store.memory())
    const follower = new Receiver(keyring, Store.memory(), { authority: false })
    assert.equal(follower.nextDue, null)
    assert.deepEqual(follower.publications(), [])
    const [{ payload, topic }] = authority.publications()
    assert.equal(follower.hear(payload, { topic }), true)
  })
})

describe('commands', () => {
  it('open once, on the device', () => {
    const keyring = Keyring.parse(keyringText())
    const sender = new Sender(keyring, Store.memory())
    const device = Device.fromKeyring(keyring, 'kitchen')
    assert.deepEqual(sender.subscriptions, ['sensors/1234567/command-session'])
    assert.equal(sender.isReady('kitchen'), false)
    assert.throws(() => sender.seal('kitchen', 'on'), { code: 'no_session' })
    assert.throws(() => sender.seal('attic', 'on'), { code: 'unknown_name' })

    const [topic] = sender.subscriptions
    assert.equal(sender.hear(device.drawCommandSession(), { topic }), true)
    assert.equal(sender.isReady('kitchen'), true)
    const publication = sender.seal('kitchen', 'on')
    assert.equal(publication.topic, 'sensors/1234567/command')
    assert.equal(device.open(publication.payload, { topic: publication.topic }).text, 'on')
    assert.equal(device.open(publication.payload).verdict, 'duplicate')
    assert.equal(sender.isReady('kitchen'), false)
  })
})

describe('what is shown', () => {
  it('is neither key nor reading', () => {
    const { keyring, receiver, device } = pair()
    const message = receiver.open(device.seal('confidential'))
    assert.equal(show(message), 'Message { verdict: "fresh", device: "kitchen", data: <12 bytes> }')
    const text = [keyring, receiver, device, message].map((each) => show(each)).join()
    for (const secret of [...Object.values(KEYS), 'confidential', '000102']) {
      assert.ok(!text.includes(secret))
    }
  })

  it('has a line where a keyring is wrong, and no key', () => {
    const broken = keyringText().replace('test-only-iv-key', 'a key too short')
    assert.throws(
      () => Keyring.parse(broken),
      (error) => {
        assert.equal(error.code, 'wrong_key_length')
        assert.equal(error.file, null)
        assert.equal(error.field, 'classic_group.keys.iv_key')
        assert.equal(broken.split('\n')[error.line - 1], 'iv_key = { text = "a key too short" }')
        assert.ok(!error.message.includes('a key too short'))
        return true
      },
    )
  })
})

describe('what only factories make', () => {
  it('has no constructor', () => {
    for (const type of [Keyring, Store, Device]) assert.throws(() => new type(), TypeError)
    const fake = Object.create(Keyring.prototype)
    assert.throws(() => new Receiver(fake, Store.memory()), { code: 'invalid_argument' })
    assert.throws(() => new Receiver({}, Store.memory()), { code: 'invalid_argument' })
  })
})
