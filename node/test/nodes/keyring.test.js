'use strict'

const assert = require('node:assert/strict')
const { chmodSync, existsSync, statSync, unlinkSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { after, afterEach, before, describe, it } = require('node:test')
const { Device, Keyring, KeyringFile } = require('../../lib')
const { keyringText } = require('../support/keyring')
const {
  SECRETS,
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

const FLOW = [
  { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [['ids']] },
  {
    id: 'open',
    type: 'espseal open',
    keyring: 'keyring',
    output: 'text',
    wires: [['fresh'], ['refused']],
  },
  ...['ids', 'fresh', 'refused'].map((id) => ({ id, type: 'helper' })),
]
// Of Node-RED's log: errors lie below.
const WARN = 30
const runtime = () => helper.getNode('keyring').runtime
const ENDPOINT = '/espseal/keyring/keyring'

async function get() {
  return (await helper.request().get(ENDPOINT).expect(200)).body
}

async function post(path, body = {}, status = 200) {
  const response = await helper
    .request()
    .post(ENDPOINT + path)
    .send(body)
    .expect(status)
  return response.body
}

describe('espseal keyring', () => {
  before(start)
  after(stop)
  afterEach(unload)

  it('takes keys as text or hex digits', async () => {
    await load([TYPED])
    assert.equal(runtime().state, 'ready')
    const hex = Object.fromEntries(
      Object.entries(SECRETS).map(([name, key]) => [
        name,
        name === 'sessionKey' ? key : Buffer.from(key).toString('hex'),
      ]),
    )
    await unload()
    await load([{ ...TYPED, keyFormat: 'hex' }], { keyring: hex })
    assert.equal(runtime().state, 'ready')
    assert.deepEqual(
      runtime().keyring.devices.map(({ name, nodeId }) => [name, nodeId]),
      [['kitchen', '1234567']],
    )
  })

  it('takes keys out of the environment', async (test) => {
    for (const [name, key] of Object.entries(SECRETS)) process.env[`TEST_${name}`] = key
    test.after(() => {
      for (const name of Object.keys(SECRETS)) delete process.env[`TEST_${name}`]
    })
    const named = Object.keys(SECRETS).map((name) => [name, `\${TEST_${name}}`])
    await load([TYPED], { keyring: Object.fromEntries(named) })
    assert.equal(runtime().state, 'ready')
  })

  it('writes names and keys so that nothing in them becomes TOML', async () => {
    const name = 'a "device" \\ with\u007f\u0001 = { } \n[[device]]'
    const devices = [{ name: 'ünïcode "x"', nodeId: '1' }]
    await load([{ ...TYPED, devices }])
    assert.deepEqual(
      runtime().keyring.devices.map((device) => device.name),
      ['ünïcode "x"'],
    )
    await unload()
    await load([{ ...TYPED, devices: [{ name, nodeId: '1' }] }])
    assert.equal(runtime().state, 'broken')
    assert.equal(runtime().problem.code, 'invalid_value')
  })

  it('reads a file, and says what is wrong with it', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const file = join(folder, 'keyring.toml')
    const keyring = {
      id: 'keyring',
      type: 'espseal keyring',
      source: 'file',
      file,
      state: 'memory',
    }
    writeFileSync(file, keyringText())
    chmodSync(file, 0o644)
    await load([keyring])
    assert.deepEqual([runtime().state, runtime().problem.code], ['broken', 'wide_permissions'])
    chmodSync(file, 0o600)
    runtime().load()
    assert.equal(runtime().state, 'ready')
  })

  it('is calm where its file was never made, and says when it is lost', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const file = join(folder, 'keyring.toml')
    const stateFile = join(folder, 'state.sqlite3')
    const keyring = { id: 'keyring', type: 'espseal keyring', source: 'file', file, stateFile }
    const logged = () => helper.log().args.filter(([{ id, level }]) => id && level <= WARN)
    const seal = { id: 'seal', type: 'espseal seal', keyring: 'keyring', wires: [[], []] }
    const device = { ...seal, id: 'device', type: 'espseal device', device: 'kitchen' }
    const { caught } = await load([keyring, ...FLOW, seal, device])
    assert.deepEqual([runtime().state, runtime().problem], ['absent', null])
    for (const id of ['open', 'session', 'seal', 'device']) await status(id, 'grey', 'no-file')
    assert.deepEqual(logged(), [])
    assert.ok(!existsSync(stateFile))
    for (const id of ['open', 'seal']) {
      give(id, { payload: 'x', device: 'kitchen' })
      const { error } = await caught.next()
      assert.equal(error.code, 'no_file')
      assert.ok(error.message.includes(file))
    }

    writeFileSync(file, keyringText(), { mode: 0o600 })
    runtime().load()
    assert.equal(runtime().state, 'ready')
    await status('open', 'grey', 'waiting')
    await status('seal', 'grey', 'ready')
    unlinkSync(file)
    runtime().load()
    assert.deepEqual([runtime().state, runtime().problem.code], ['broken', 'no_file'])
    await status('open', 'red', 'broken')
    await unload()

    // The state tells the next process that there was one.
    await load([keyring, ...FLOW])
    assert.deepEqual([runtime().state, runtime().problem.code], ['broken', 'no_file'])
  })

  it('keeps its state over a restart', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const stateFile = join(folder, 'state.sqlite3')
    const keyring = { ...TYPED, state: 'file', stateFile }
    const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')

    const before_ = await load([keyring, ...FLOW])
    device.hear((await before_.ids.next()).payload)
    const frame = device.seal('21.5')
    give('open', { payload: frame, topic: 'sensors/1' })
    assert.equal((await before_.fresh.next()).payload, '21.5')
    await unload()

    const after_ = await load([keyring, ...FLOW])
    device.hear((await after_.ids.next()).payload)
    give('open', { payload: frame, topic: 'sensors/1' })
    assert.equal((await after_.refused.next()).espseal.verdict, 'duplicate')
    give('open', { payload: device.seal('22'), topic: 'sensors/1' })
    assert.equal((await after_.fresh.next()).payload, '22')
    assert.equal(statSync(stateFile).mode & 0o777, 0o600)
  })

  it('draws keys for a trial, and keeps them for itself', async () => {
    await load([{ ...TYPED, source: 'trial' }], {})
    assert.equal(runtime().state, 'ready')
    const device = Device.fromKeyring(runtime().keyring, 'kitchen')
    assert.throws(() => device.seal('1'), { code: 'no_session' })
  })
})

describe('the endpoints of a keyring', () => {
  before(start)
  after(stop)
  afterEach(unload)

  it('make a keyring file, and add devices to it', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const file = join(folder, 'new', 'keyring.toml')
    await load([
      { id: 'keyring', type: 'espseal keyring', source: 'file', file, state: 'memory' },
      ...FLOW,
    ])
    const before_ = await get()
    assert.deepEqual([before_.state, before_.problem, before_.file], ['absent', null, file])

    const group = { group: 'house', topic: 'sensors/+', sessionTopic: 'sensors/session' }
    const made = await post('/file', group)
    assert.deepEqual([made.state, made.groups], ['ready', [{ name: 'house', layout: 'hex' }]])
    assert.ok(existsSync(file))
    assert.equal((await post('/file', group, 400)).code, 'already_exists')

    const device = { name: 'kitchen', group: 'house', address: '1234567' }
    const added = await post('/devices', device)
    assert.deepEqual(added.devices, [
      {
        name: 'kitchen',
        formats: ['classic'],
        addresses: ['1234567'],
        revoked: false,
        lastSeen: null,
        epoch: null,
      },
    ])
    assert.equal((await post('/devices', device, 400)).code, 'duplicate_name')
    assert.deepEqual(
      Keyring.load(file).devices.map(({ name }) => name),
      ['kitchen'],
    )
    assert.equal(runtime().keyring.devices.length, 1)
  })

  it('make a fleet where there is none', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const keyring = (name) => ({
      id: 'keyring',
      type: 'espseal keyring',
      source: 'file',
      file: join(folder, name),
      state: 'memory',
    })
    const group = { group: 'house', topic: 'sensors/+', sessionTopic: 'sensors/session' }
    await load([keyring('new.toml')])
    const made = await post('/file', { ...group, fleet: 'home' })
    assert.deepEqual([made.state, made.fleets], ['ready', [{ name: 'home' }]])
    await unload()

    await load([keyring('older.toml')])
    assert.deepEqual((await post('/file', group)).fleets, [])
    const device = { name: 'door', fleet: 'home', format: 'json' }
    const refused = { ...device, format: 'basic' }
    assert.equal((await post('/devices', refused, 400)).code, 'invalid_argument')
    assert.deepEqual((await get()).fleets, [])
    const { fleets, devices, provision } = await post('/devices', device)
    assert.deepEqual(fleets, [{ name: 'home' }])
    assert.deepEqual([devices[0].formats, provision.file], [['sealed'], 'device.json'])
    // Where there are others, a new name is a mistake.
    const other = { name: 'gate', fleet: 'hmoe', format: 'json' }
    assert.equal((await post('/devices', other, 400)).code, 'no_fleet')
    assert.equal((await get()).fleets.length, 1)
  })

  it('add a sealed device, offer its keys once, and revoke it', async (test) => {
    const folder = temporaryFolder((work) => test.after(work))
    const file = join(folder, 'keyring.toml')
    KeyringFile.create(file).addFleet('boats')
    await load([{ id: 'keyring', type: 'espseal keyring', source: 'file', file, state: 'memory' }])
    for (const format of ['nodemcu', 'arduino', 'json']) {
      const body = { name: `boat of ${format}`, fleet: 'boats', format }
      const { provision } = await post('/devices', body)
      const { deviceKey, address } = Keyring.load(file).provision(body.name)
      const { text, file: wanted } = provision
      const files = { nodemcu: 'config.lua', arduino: 'espseal_config.h', json: 'device.json' }
      assert.equal(wanted, files[format])
      assert.ok(text.includes(body.name) && text.includes('espseal/boats/beacon'))
      if (format === 'arduino')
        assert.match(text, /ESPSEAL_DEVICE_KEY \{(0x[0-9a-f]{2}, ){31}0x[0-9a-f]{2}\}/)
      else assert.ok(text.includes(deviceKey.expose().toString('hex')) && text.includes(address))
      if (format === 'json') {
        const path = join(folder, 'device.json')
        writeFileSync(path, text, { mode: 0o600 })
        assert.equal(Device.load(path).address, address)
      }
      const later = await get()
      assert.ok(!JSON.stringify(later).includes(deviceKey.expose().toString('hex')))
      assert.equal(later.provision, undefined)
    }
    const name = encodeURIComponent('boat of json')
    const { devices } = await post(`/devices/${name}/revoke`)
    assert.deepEqual(
      devices.map((device) => device.revoked),
      [false, false, true],
    )
    await post('/devices/nobody/revoke', {}, 400)
    const unread = { name: 'another', fleet: 'boats', format: 'basic' }
    await post('/devices', unread, 400)
    assert.equal(Keyring.load(file).devices.length, 3)
  })

  it('tell when a device was last seen, and no key', async () => {
    const { ids, fresh } = await load([TYPED, ...FLOW])
    const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')
    device.hear((await ids.next()).payload)
    const start_ = Date.now()
    give('open', { payload: device.seal('1'), topic: 'sensors/1' })
    await fresh.next()
    const answer = await get()
    const { lastSeen } = answer.devices[0]
    assert.ok(lastSeen >= start_ && lastSeen <= Date.now())
    for (const key of Object.values(SECRETS)) assert.ok(!JSON.stringify(answer).includes(key))
  })

  it('refuse what they cannot do', async () => {
    await load([TYPED])
    const { body } = await helper.request().get('/espseal/keyring/other').expect(404)
    assert.equal(body.code, 'not_deployed')
    for (const path of ['/file', '/devices']) {
      await post(path, {}, 400)
      await post(path, { name: 5, group: [], address: {} }, 400)
    }
  })
})
