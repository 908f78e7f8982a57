'use strict'

const assert = require('node:assert/strict')
const { readFileSync, renameSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { after, afterEach, before, describe, it } = require('node:test')
const { Device, Keyring, Sender, Store } = require('../../lib')
const { SEALED, keyringText } = require('../support/keyring')
const {
  TYPED,
  give,
  helper,
  load,
  start,
  status,
  statuses,
  stop,
  temporaryFolder,
  unload,
} = require('./support')

const TOPIC = 'sensors/kitchen'

/** An open node with everything around it, and a device that has its session. */
async function opened(properties = {}, keyring = TYPED) {
  const probes = await load([
    keyring,
    { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [['ids']] },
    {
      id: 'open',
      type: 'espseal open',
      keyring: 'keyring',
      wires: [['fresh'], ['refused']],
      ...properties,
    },
    ...['ids', 'fresh', 'refused'].map((id) => ({ id, type: 'helper' })),
  ])
  const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')
  let session
  do session = await probes.ids.next('a session ID')
  while (session.topic !== 'sensors/session')
  device.hear(session.payload)
  return { ...probes, device, session }
}

describe('espseal open', () => {
  before(start)
  after(stop)
  afterEach(unload)

  it('sends a reading to its first output', async () => {
    const { fresh, refused, caught, device } = await opened()
    give('open', { payload: device.seal('21.5'), topic: TOPIC, retain: true, mine: 1 })
    const msg = await fresh.next()
    assert.deepEqual(msg.payload, Buffer.from('21.5'))
    assert.equal(msg.device, 'kitchen')
    assert.equal(msg.topic, TOPIC)
    assert.equal(msg.mine, 1)
    assert.deepEqual(msg.espseal, {
      verdict: 'fresh',
      reason: 'it is verified and new',
      group: 'house',
      nodeId: '1234567',
      advanced: true,
      sessionBound: true,
      replayProtected: true,
    })
    await status('open', 'green', 'fresh')
    assert.deepEqual([refused.messages, caught.messages], [[], []])
  })

  const outputs = {
    buffer: Buffer.from('{"t":21.5}'),
    text: '{"t":21.5}',
    json: { t: 21.5 },
  }
  for (const [output, payload] of Object.entries(outputs)) {
    it(`gives a reading as ${output}`, async () => {
      const { fresh, device } = await opened({ output })
      give('open', { payload: device.seal('{"t":21.5}'), topic: TOPIC })
      assert.deepEqual((await fresh.next()).payload, payload)
    })
  }

  it('tells a Catch node of a reading that is no JSON, and hands it over there', async () => {
    const { caught, device, fresh } = await opened({ output: 'json' })
    give('open', { payload: device.seal('warm'), topic: TOPIC })
    const { error, payload, device: name } = await caught.next()
    assert.deepEqual([error.code, payload, name], ['not_json', 'warm', 'kitchen'])
    assert.deepEqual(fresh.messages, [])
  })

  it('takes every form that mqtt in makes of a frame', async () => {
    const { fresh, device } = await opened({ output: 'text' })
    const forms = [
      (frame) => frame,
      (frame) => frame.toString(),
      (frame) => JSON.parse(JSON.stringify(frame)),
      (frame) => new Uint8Array(frame),
    ]
    for (const [number, form] of forms.entries()) {
      give('open', { payload: form(device.seal(String(number))), topic: TOPIC })
      assert.equal((await fresh.next()).payload, String(number))
    }
  })

  it('takes base64, where it is told so', async () => {
    const { fresh, device } = await opened({ encoding: 'base64', output: 'text' })
    give('open', { payload: device.seal('1').toString('base64'), topic: TOPIC })
    assert.equal((await fresh.next()).payload, '1')
  })

  it('sends everything else to its second output, with the verdict', async () => {
    const { fresh, refused, caught, device } = await opened()
    const frame = device.seal('21.5')
    give('open', { payload: frame, topic: TOPIC })
    await fresh.next()
    const cases = [
      [frame, 'duplicate', 'kitchen'],
      [frame.subarray(0, 50), 'malformed', undefined],
      [frame.toString().replace(/[0-9a-f]{40}$/, '0'.repeat(40)), 'forged', undefined],
      ['', 'malformed', undefined],
      [5, 'malformed', undefined],
      [{ temperature: 21.5 }, 'malformed', undefined],
      [null, 'malformed', undefined],
      [undefined, 'malformed', undefined],
      [[1, 2], 'malformed', undefined],
    ]
    for (const [payload, verdict, name] of cases) {
      give('open', { payload, topic: TOPIC, device: 'somebody' })
      const msg = await refused.next(verdict)
      assert.equal(msg.espseal.verdict, verdict)
      assert.equal(msg.device, name)
      assert.ok(msg.espseal.reason.length > 0)
      assert.deepEqual(msg.payload, payload)
    }
    assert.deepEqual([fresh.messages, caught.messages], [[], []])
  })

  it('shows red only for what needs a person', async () => {
    const { refused, device, session } = await opened()
    give('open', { payload: 'x', topic: TOPIC })
    await status('open', 'yellow', 'refused')
    const stranger = Device.fromKeyring(Keyring.parse(keyringText({ new: '77' })), 'new')
    stranger.hear(session.payload)
    give('open', { payload: stranger.seal('1'), topic: TOPIC })
    await status('open', 'red', 'unknown')
    assert.equal((await refused.next()).espseal.verdict, 'malformed')
    assert.equal((await refused.next()).espseal.nodeId, '77')
    give('open', { payload: device.seal('1'), topic: TOPIC })
    await status('open', 'green', 'fresh')
  })

  it('changes its status once a second at most, and shows the last', async () => {
    const { device } = await opened()
    await status('open', 'grey', 'waiting')
    await sleep(1100)
    const before = statuses('open').length
    const started = Date.now()
    for (let number = 0; number < 50; number++) {
      give('open', { payload: device.seal('1'), topic: TOPIC })
      give('open', { payload: 'x', topic: TOPIC })
      await sleep(5)
    }
    await status('open', 'yellow', 'refused')
    const seconds = Math.ceil((Date.now() - started) / 1000)
    assert.ok(statuses('open').length - before <= seconds + 1)
  })

  it('leaves session IDs alone, whoever wires them here', async () => {
    const { fresh, refused, session, device } = await opened({ output: 'text' })
    give('open', { payload: session.payload, topic: session.topic })
    give('open', { payload: device.drawCommandSession(), topic: 'sensors/1234567/command-session' })
    give('open', { payload: device.seal('last'), topic: TOPIC })
    assert.equal((await fresh.next()).payload, 'last')
    assert.deepEqual(refused.messages, [])
  })

  describe('with everything wired to it', () => {
    /** A keyring's file with the classic kitchen, and sealed devices with topics of the fleet's. */
    function keyringFile(test, more = '') {
      const file = join(
        temporaryFolder((work) => test.after(work)),
        'keyring.toml',
      )
      writeFileSync(file, keyringText() + SEALED + more, { mode: 0o600 })
      return { id: 'keyring', type: 'espseal keyring', source: 'file', file, state: 'memory' }
    }

    it('passes over what goes to devices', async (test) => {
      const own = [
        '\n[[device]]',
        'name = "shed"',
        'sealed = { fleet = "boats", address = "8899aabbccddeeff", down_topic = "shed/rx" }',
      ].join('\n')
      const { fresh, refused, caught, device } = await opened(
        { output: 'text' },
        keyringFile(test, own),
      )
      const keyring = Keyring.parse(keyringText())
      const sender = new Sender(keyring, Store.memory())
      const session = device.drawCommandSession()
      sender.hear(session, { topic: 'sensors/1234567/command-session' })
      const command = sender.seal('kitchen', 'on')
      assert.equal(command.topic, 'sensors/1234567/command')
      const topics = [
        command.topic,
        'espseal/0011223344556677/down',
        // Of a device that this keyring does not know.
        'espseal/1111111111111111/down',
        'shed/rx',
      ]
      for (const topic of topics) {
        for (const payload of [command.payload, '', 'x', { no: 'bytes' }]) {
          give('open', { topic, payload })
        }
      }
      give('open', { payload: device.seal('last'), topic: TOPIC })
      assert.equal((await fresh.next()).payload, 'last')
      assert.deepEqual([refused.messages, caught.messages], [[], []])
      const { counts } = helper.getNode('keyring').runtime
      assert.deepEqual([counts.fresh, counts.wrong_direction, counts.malformed], [1, 0, 0])
    })

    it('passes over sessions and beacons, and still tells of the others', async (test) => {
      const { fresh, refused, device, session } = await opened(
        { output: 'text' },
        keyringFile(test),
      )
      for (const topic of [session.topic, 'espseal/boats/beacon']) {
        for (const payload of ['x', '', { no: 'bytes' }]) give('open', { topic, payload })
      }
      give('open', { topic: 'espseal/0011223344556677/up', payload: 'x' })
      assert.equal((await refused.next()).topic, 'espseal/0011223344556677/up')
      give('open', { payload: device.seal('last'), topic: TOPIC })
      assert.equal((await fresh.next()).payload, 'last')
      assert.deepEqual(refused.messages, [])
    })

    it('opens a hello on a topic of the device’s own', async (test) => {
      const own = { from: '"0011223344556677" }', to: '"0011223344556677", hello_topic = "hi" }' }
      const keyring = keyringFile(test)
      writeFileSync(keyring.file, readFileSync(keyring.file, 'utf8').replace(own.from, own.to))
      const { refused } = await opened({}, keyring)
      give('open', { topic: 'hi', payload: 'no hello' })
      assert.equal((await refused.next()).espseal.verdict, 'malformed')
    })
  })

  it('hands a failure of the store to a Catch node, and recovers', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const stateFile = join(folder, 'state.sqlite3')
    const keyring = { ...TYPED, state: 'file', stateFile }
    const { caught, fresh, device } = await opened({ output: 'text' }, keyring)
    const frame = device.seal('21.5')
    renameSync(stateFile, `${stateFile}.away`)
    give('open', { payload: frame, topic: TOPIC })
    assert.equal((await caught.next()).error.code, 'moved')
    await status('open', 'red', 'moved')
    renameSync(`${stateFile}.away`, stateFile)
    give('open', { payload: frame, topic: TOPIC })
    assert.equal((await fresh.next()).payload, '21.5')
    await status('open', 'green', 'fresh')
  })
})

describe('espseal open without keys', () => {
  before(start)
  after(stop)
  afterEach(unload)

  async function alone(keyring, credentials) {
    const flow = [
      ...(keyring ? [keyring] : []),
      { id: 'open', type: 'espseal open', keyring: 'keyring', wires: [['out'], ['out']] },
      { id: 'out', type: 'helper' },
    ]
    return await load(flow, credentials)
  }

  it('is calm where no keyring is chosen', async () => {
    const { caught } = await alone(null, {})
    await status('open', 'grey', 'no-keyring')
    give('open', { payload: 'x' })
    assert.equal((await caught.next()).error.code, 'no_keyring')
  })

  it('is calm where an import has brought no keys', async () => {
    const { caught } = await alone(TYPED, {})
    await status('open', 'grey', 'no-keys')
    give('open', { payload: 'x' })
    assert.equal((await caught.next()).error.code, 'no_keys')
  })

  it('says what is wrong with keys', async () => {
    const { SECRETS } = require('./support')
    const keyring = { ...SECRETS, ivKey: 'too short' }
    const { caught, out } = await alone(TYPED, { keyring })
    await status('open', 'red', 'broken')
    give('open', { payload: 'x' })
    const { error } = await caught.next()
    assert.equal(error.code, 'wrong_key_length')
    assert.match(error.message, /iv_key/)
    assert.ok(!JSON.stringify(error).includes('too short'))
    assert.deepEqual(out.messages, [])
  })
})
