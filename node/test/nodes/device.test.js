'use strict'

const assert = require('node:assert/strict')
const { join } = require('node:path')
const { after, afterEach, before, describe, it } = require('node:test')
const { Keyring, KeyringFile, Receiver } = require('../../lib')
const {
  TYPED,
  give,
  helper,
  load,
  start,
  status,
  stop,
  temporaryFolder,
  unload,
} = require('./support')

/** The whole way inside one flow, with keys that nobody knows. */
function flow(properties = {}, keyring = {}) {
  return [
    { ...TYPED, source: 'trial', ...keyring },
    { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [['device', 'session']] },
    {
      id: 'device',
      type: 'espseal device',
      keyring: 'keyring',
      device: 'kitchen',
      wires: [['air', 'open', 'session'], ['commands']],
      ...properties,
    },
    {
      id: 'open',
      type: 'espseal open',
      keyring: 'keyring',
      output: 'text',
      wires: [['fresh'], ['refused']],
    },
    {
      id: 'seal',
      type: 'espseal seal',
      keyring: 'keyring',
      device: 'kitchen',
      wait: 600,
      wires: [['device'], ['acknowledged']],
    },
    ...['air', 'fresh', 'refused', 'commands', 'acknowledged'].map((id) => ({
      id,
      type: 'helper',
    })),
  ]
}

/** A keyring's file with the kitchen as a sealed device. */
function sealedKeyring(test) {
  const file = join(
    temporaryFolder((work) => test.after(work)),
    'keyring.toml',
  )
  KeyringFile.create(file).addFleet('boats')
  KeyringFile.open(file).addSealed('kitchen', { fleet: 'boats' })
  return { source: 'file', file, state: 'memory' }
}

describe('espseal device', () => {
  before(start)
  after(stop)
  afterEach(unload)

  it('sends readings once it has a session', async () => {
    const { fresh, refused } = await load(flow(), {})
    for (const payload of ['21.5', 22, { t: 23 }]) give('device', { payload })
    const texts = [await fresh.next(), await fresh.next(), await fresh.next()]
    assert.deepEqual(
      texts.map(({ payload }) => payload),
      ['21.5', '22', '{"t":23}'],
    )
    assert.deepEqual(refused.messages, [])
    await status('device', 'green', 'sealed')
    await status('session', 'green', 'published')
  })

  it('publishes where it is told', async () => {
    const { air } = await load(flow({ topic: 'sensors/attic' }), {})
    give('device', { payload: '1' })
    const messages = [await air.next(), await air.next()]
    assert.ok(messages.some(({ topic }) => topic === 'sensors/attic'))
  })

  it('obeys a command, once', async () => {
    const { commands } = await load(flow(), {})
    for (const payload of ['on', 'off']) {
      give('seal', { payload })
      const command = await commands.next()
      assert.deepEqual([command.payload, command.device], [payload, 'kitchen'])
    }
    give('device', { payload: 'no command', topic: 'sensors/1234567/command' })
    give('device', { payload: 5, topic: 'sensors/1234567/command' })
    give('seal', { payload: 'last' })
    assert.equal((await commands.next()).payload, 'last')
  })

  it('sends raw frames as bytes', async () => {
    const { air, fresh } = await load(flow({}, { layout: 'raw' }), {})
    give('device', { payload: '1' })
    assert.equal((await fresh.next()).payload, '1')
    assert.ok(air.messages.some(({ payload }) => Buffer.isBuffer(payload)))
  })

  it('greets its host as a sealed device', async (test) => {
    const { file, ...keyring } = sealedKeyring(test)
    const { air, fresh, refused, commands, acknowledged, caught } = await load(
      flow({}, { file, ...keyring }),
      {},
    )
    const [{ address }] = Keyring.load(file).devices
    assert.equal((await air.next('a hello')).topic, `espseal/${address}/hello`)
    give('device', { payload: '21.5' })
    const { payload, device, espseal } = await fresh.next('a reading')
    assert.deepEqual([payload, device], ['21.5', 'kitchen'])
    assert.deepEqual([espseal.address, espseal.epoch, espseal.advanced], [address, 0, true])
    assert.match(espseal.counter, /^[0-9]+$/)

    give('seal', { payload: 'on', mine: 1 })
    assert.equal((await commands.next('a command')).payload, 'on')
    const answer = await acknowledged.next('its acknowledgement')
    assert.deepEqual([answer.payload, answer.mine, answer.device], ['on', 1, 'kitchen'])
    await status('seal', 'green', 'acknowledged')
    await status('device', 'green', 'sealed')
    assert.deepEqual([refused.messages, caught.messages], [[], []])
  })

  it('is confirmed though another receiver on the store was the first to open it', async (test) => {
    const wires = [['air'], ['commands']]
    const probes = await load(flow({ wires }, sealedKeyring(test)), {})
    const { air, commands, acknowledged, caught } = probes
    const { keyring, store } = helper.getNode('keyring').runtime
    const other = new Receiver(keyring, store, { authority: false })
    helper.getNode('air').on('input', ({ topic, payload }) => {
      if (topic.endsWith('/up')) other.open(payload, { topic })
      give('open', { topic, payload })
    })
    give('seal', { payload: 'on' })
    assert.equal((await commands.next('a command')).payload, 'on')
    assert.equal((await acknowledged.next('its acknowledgement')).payload, 'on')
    assert.ok(air.messages.some(({ topic }) => topic.endsWith('/up')))
    assert.deepEqual(caught.messages, [])
  })

  it('is sent no command once it is revoked', async (test) => {
    const keyring = sealedKeyring(test)
    KeyringFile.open(keyring.file).revoke('kitchen')
    const { caught, commands } = await load(flow({}, keyring), {})
    give('seal', { payload: 'on' })
    assert.equal((await caught.next()).error.code, 'revoked')
    await status('seal', 'red', 'revoked')
    assert.deepEqual(commands.messages, [])
  })

  it('is sent no command that still waits when it is revoked', async (test) => {
    const keyring = sealedKeyring(test)
    const { caught } = await load(flow({ wires: [[], []] }, keyring), {})
    give('seal', { payload: 'on' })
    await status('seal', 'yellow', 'waiting')
    KeyringFile.open(keyring.file).revoke('kitchen')
    helper.getNode('keyring').runtime.load()
    assert.equal((await caught.next()).error.code, 'revoked')
  })

  it('says that the keyring has no such device', async () => {
    const { caught } = await load(flow({ device: 'attic' }), {})
    await status('device', 'red', 'unknown_name')
    give('device', { payload: '1' })
    assert.equal((await caught.next()).error.code, 'unknown_name')
  })

  it('is calm without keys', async () => {
    const { caught } = await load(flow({}, { source: 'typed' }), {})
    await status('device', 'grey', 'no-keys')
    give('device', { payload: '1' })
    assert.equal((await caught.next()).error.code, 'no_keys')
  })
})
