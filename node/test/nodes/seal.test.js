'use strict'

const assert = require('node:assert/strict')
const { after, afterEach, before, describe, it } = require('node:test')
const { Device, Keyring } = require('../../lib')
const { keyringText } = require('../support/keyring')
const { waitFor } = require('../support/wait')
const { TYPED, give, helper, load, start, status, stop, unload } = require('./support')

const SESSIONS = 'sensors/1234567/command-session'

async function sealing(properties = {}) {
  const probes = await load([
    TYPED,
    { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [[]] },
    {
      id: 'seal',
      type: 'espseal seal',
      keyring: 'keyring',
      device: 'kitchen',
      wires: [['out']],
      ...properties,
    },
    { id: 'out', type: 'helper' },
  ])
  const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')
  const show = () => give('session', { topic: SESSIONS, payload: device.drawCommandSession() })
  const isReady = () => helper.getNode('keyring').runtime.isReady('kitchen')
  return { ...probes, device, show, isReady }
}

describe('espseal seal', () => {
  before(start)
  after(stop)
  afterEach(unload)

  it('seals a command for mqtt out', async () => {
    const { out, device, show, isReady } = await sealing()
    await status('seal', 'grey', 'ready')
    show()
    await waitFor(isReady, 'the session')
    give('seal', { payload: 'on', topic: 'from/a/dashboard', mine: 1 })
    const { topic, payload, qos, retain, device: name, mine } = await out.next()
    assert.deepEqual([topic, qos, retain], ['sensors/1234567/command', 1, false])
    assert.deepEqual([name, mine], ['kitchen', 1])
    assert.equal(device.open(payload).text, 'on')
    assert.equal(device.open(payload).verdict, 'duplicate')
    await status('seal', 'green', 'sent')
  })

  const payloads = [
    ['text', 'text'],
    [5, '5'],
    [true, 'true'],
    [{ on: 1 }, '{"on":1}'],
    [Buffer.from('bytes'), 'bytes'],
    [undefined, ''],
  ]
  for (const [payload, expected] of payloads) {
    it(`takes ${JSON.stringify(payload)}`, async () => {
      const { out, device, show, isReady } = await sealing()
      show()
      await waitFor(isReady, 'the session')
      give('seal', { payload })
      assert.equal(device.open((await out.next()).payload).text, expected)
    })
  }

  it('takes the device out of the message, if it names none', async () => {
    const { out, show, isReady, caught } = await sealing({ device: '' })
    show()
    await waitFor(isReady, 'the session')
    give('seal', { payload: 'on', device: 'kitchen' })
    assert.equal((await out.next()).device, 'kitchen')
    give('seal', { payload: 'on' })
    assert.equal((await caught.next()).error.code, 'no_device')
  })

  it('says at once that there is no session yet', async () => {
    const { caught, out } = await sealing()
    give('seal', { payload: 'on' })
    const { error, payload } = await caught.next()
    assert.deepEqual([error.code, payload], ['no_session', 'on'])
    await status('seal', 'yellow', 'no_session')
    assert.deepEqual(out.messages, [])
  })

  it('says that there is no such device, and what a frame cannot carry', async () => {
    const { caught, show, isReady } = await sealing({ device: '' })
    give('seal', { payload: 'on', device: 'attic' })
    assert.equal((await caught.next()).error.code, 'unknown_name')
    await status('seal', 'red', 'unknown_name')
    show()
    await waitFor(isReady, 'the session')
    give('seal', { payload: 'x'.repeat(3000), device: 'kitchen' })
    assert.equal((await caught.next()).error.code, 'frame_too_long')
    assert.equal(isReady(), true)
  })

  it('lets commands wait for a session, in their order', async () => {
    const { out, device, show, caught } = await sealing({ wait: 600 })
    for (const payload of ['1', '2', '3']) give('seal', { payload })
    await status('seal', 'yellow', 'waiting')
    for (const expected of ['1', '2', '3']) {
      show()
      assert.equal(device.open((await out.next()).payload).text, expected)
    }
    assert.deepEqual(caught.messages, [])
  })

  it('gives up when their time is over', async () => {
    const { caught, out, show } = await sealing({ wait: 0.1 })
    give('seal', { payload: 'late' })
    const { error, payload } = await caught.next()
    assert.deepEqual([error.code, payload], ['no_session', 'late'])
    show()
    await status('seal', 'yellow', 'no_session')
    assert.deepEqual(out.messages, [])
  })
})
