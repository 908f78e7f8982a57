'use strict'

const assert = require('node:assert/strict')
const { readFileSync, readdirSync, renameSync } = require('node:fs')
const { join } = require('node:path')
const { after, afterEach, before, describe, it } = require('node:test')
const { Keyring, Receiver, Store, classic } = require('../../lib')
const { SESSION_KEY, keyringText } = require('../support/keyring')
const { waitFor } = require('../support/wait')
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

const TOPIC = 'sensors/session'

const FLOW = [
  { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [['out']] },
  { id: 'out', type: 'helper' },
]

const EXAMPLES = join(__dirname, '../../examples')

describe('espseal session', () => {
  before(start)
  after(stop)
  afterEach(unload)

  for (const name of readdirSync(EXAMPLES)) {
    const example = JSON.parse(readFileSync(join(EXAMPLES, name), 'utf8'))
    // Elsewhere the broker brings the IDs back.
    if (example.some(({ type }) => type === 'mqtt in')) continue
    it(`hears back its session IDs in the example ${name}`, async () => {
      await load(
        example.filter(({ type }) => type.startsWith('espseal ')),
        {},
      )
      const { id } = example.find(({ type }) => type === 'espseal session')
      await status(id, 'green', 'published')
    })
  }

  it('publishes a session ID at its start, retained', async () => {
    const { out } = await load([TYPED, ...FLOW])
    const { topic, payload, qos, retain } = await out.next()
    assert.deepEqual([topic, qos, retain], [TOPIC, 1, true])
    assert.equal(classic.sessionIdIsValid(Buffer.from(SESSION_KEY, 'hex'), payload), true)
    await status('session', 'grey', 'unheard')
    give('session', { topic, payload })
    await status('session', 'green', 'published')
  })

  it('shows an ID again that does not come back, and no longer once it has', async () => {
    const { out } = await load([TYPED, ...FLOW])
    const first = await out.next()
    const again = await out.next('the same ID once more')
    assert.equal(again.payload, first.payload)
    give('session', { topic: TOPIC, payload: Buffer.from(first.payload) })
    await status('session', 'green', 'published')
    assert.deepEqual(helper.getNode('keyring').runtime.unheard, [])
  })

  it('answers a false ID with the true one, and counts it', async () => {
    const { out } = await load([TYPED, ...FLOW])
    const { payload } = await out.next()
    give('session', { topic: TOPIC, payload })
    give('session', { topic: TOPIC, payload: 'f'.repeat(32) })
    assert.equal((await out.next('the true ID')).payload, payload)
    give('session', { topic: TOPIC, payload })
    await status('session', 'yellow', 'false')
  })

  it('lets nothing that it is given break it', async () => {
    const { out, caught } = await load([TYPED, ...FLOW])
    await out.next()
    for (const payload of [undefined, null, 5, {}, [], true, '', Buffer.alloc(100_000), 'ü']) {
      for (const topic of [TOPIC, 'elsewhere', undefined, 5, ''])
        give('session', { topic, payload })
    }
    await waitFor(() => helper.getNode('keyring').runtime.falseSessions >= 3, 'the false IDs')
    assert.deepEqual(caught.messages, [])
  })

  it('serves several nodes of one keyring alike', async () => {
    const second = { id: 'second', type: 'espseal session', keyring: 'keyring', wires: [['out']] }
    const { out } = await load([TYPED, ...FLOW, second])
    const [one, other] = [await out.next(), await out.next()]
    assert.equal(one.payload, other.payload)
  })

  it('follows another receiver, where it is told so', async () => {
    const keyring = Keyring.parse(keyringText())
    const { out } = await load([{ ...TYPED, authority: false }, ...FLOW])
    await status('session', 'grey', 'listens')
    const [{ payload, topic }] = new Receiver(keyring, Store.memory()).publications()
    give('session', { topic, payload })
    await status('session', 'green', 'follows')
    assert.deepEqual(out.messages, [])
  })

  it('says so if its store cannot keep a new ID', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const stateFile = join(folder, 'state.sqlite3')
    await load([{ ...TYPED, state: 'file', stateFile }, ...FLOW])
    renameSync(stateFile, `${stateFile}.away`)
    const { runtime } = helper.getNode('keyring')
    give('session', { topic: TOPIC, payload: 'f'.repeat(32) })
    // What it has to do next needs the store.
    runtime.load()
    await status('session', 'red', 'moved')
    renameSync(`${stateFile}.away`, stateFile)
  })

  it('is calm without keys', async () => {
    const { caught } = await load([TYPED, ...FLOW], {})
    await status('session', 'grey', 'no-keys')
    give('session', { topic: TOPIC, payload: 'x' })
    assert.equal((await caught.next()).error.code, 'no_keys')
  })

  it('stops when the flow does', async () => {
    const { out } = await load([TYPED, ...FLOW])
    await out.next()
    const { runtime } = helper.getNode('keyring')
    await unload()
    assert.deepEqual(runtime.eventNames(), [])
  })
})
