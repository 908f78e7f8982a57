'use strict'

// A host and a sealed device, through everything that travels between them.

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, describe, it } = require('node:test')
const {
  Device,
  Keyring,
  KeyringFile,
  Receiver,
  Sender,
  Store,
  VERDICTS,
  inspect,
} = require('../lib')
const { settle } = require('./support/keyring')

const folder = mkdtempSync(join(tmpdir(), 'espseal-sealed-'))
after(() => rmSync(folder, { recursive: true }))

let files = 0
function keyringOf(...names) {
  const path = join(folder, `${files++}.toml`)
  const file = KeyringFile.create(path)
  file.addFleet('boats')
  for (const name of names) file.addSealed(name, { fleet: 'boats' })
  return Keyring.load(path)
}

/** A host, a device, and a broker that forgets nothing between them. */
class Sea {
  constructor({
    delivery = 'at_most_once',
    store = Store.memory(),
    keyring = keyringOf('door'),
  } = {}) {
    this.keyring = keyring
    this.store = store
    this.receiver = new Receiver(keyring, store, { delivery })
    this.sender = new Sender(keyring, store)
    this.device = Device.fromKeyring(keyring, 'door')
    this.messages = []
    this.commands = []
    this.device.reconnected()
    this.settle()
  }

  /** Carries what either has to say, until neither has anything more. */
  settle() {
    const carrier = { up: (each) => this.up(each), down: (each) => this.down(each) }
    settle(this.receiver, this.device, carrier)
  }

  down({ topic, payload }) {
    if (topic === this.device.beaconTopic) assert.ok(this.device.hear(payload))
    else if (topic === this.device.downTopic) this.commands.push(this.device.open(payload))
  }

  up({ topic, payload }) {
    if (this.receiver.hear(payload, { topic })) return
    this.messages.push(this.receiver.open(payload, { topic }))
  }
}

describe('a sealed device', () => {
  it('is welcomed, and then its readings are fresh', () => {
    const sea = new Sea()
    assert.ok(sea.device.isWelcomed)
    assert.deepEqual(
      sea.messages.map(({ verdict, kind, data }) => [verdict, kind, data]),
      [
        ['fresh', 'hello', null],
        ['fresh', 'control', null],
      ],
    )
    sea.device.send('open')
    sea.settle()
    const reading = sea.messages.at(-1)
    assert.deepEqual(
      [reading.verdict, reading.kind, reading.device, reading.text],
      ['fresh', 'data', 'door', 'open'],
    )
    assert.equal(reading.address, sea.device.address)
    assert.equal(typeof reading.counter, 'bigint')
    assert.deepEqual([reading.epoch, reading.advanced, reading.group], [0, true, null])
    assert.deepEqual([reading.nodeId, reading.replayProtected], [null, true])
    assert.deepEqual(sea.receiver.readingFilters, ['espseal/+/up'])
    assert.deepEqual(sea.receiver.subscriptions, ['espseal/+/hello', 'espseal/boats/beacon'])
  })

  it('acknowledges commands by their tags', () => {
    const sea = new Sea()
    const command = sea.sender.seal('door', 'unlock')
    assert.match(command.tag, /^[0-9a-f]{32}$/)
    sea.down(command)
    assert.deepEqual(sea.commands.at(-1).text, 'unlock')
    sea.settle()
    const acknowledgement = sea.messages.at(-1)
    assert.deepEqual([acknowledgement.kind, acknowledgement.acknowledged], ['control', command.tag])
    sea.down(command)
    assert.equal(sea.commands.at(-1).verdict, 'duplicate')
  })

  it('acknowledges them to the second of two receivers on one store, too', () => {
    const sea = new Sea()
    const command = sea.sender.seal('door', 'unlock')
    sea.down(command)
    const [{ payload, topic }] = sea.device.publications()
    const first = new Receiver(sea.keyring, sea.store).open(payload, { topic })
    const second = sea.receiver.open(payload, { topic })
    assert.deepEqual([first.verdict, second.verdict], ['fresh', 'duplicate'])
    assert.deepEqual([first.acknowledged, second.acknowledged], [command.tag, command.tag])
  })

  it('ratchets, and tells its mode', () => {
    const sea = new Sea()
    sea.down(sea.sender.ratchet('door'))
    sea.settle()
    assert.equal(sea.device.epoch, 1)
    sea.down(sea.sender.setMode('door', 7))
    sea.down(sea.sender.queryMode('door'))
    sea.settle()
    assert.equal(sea.device.mode, 7)
    assert.ok(sea.messages.some(({ mode }) => mode === 7))
    sea.device.send('after')
    sea.settle()
    assert.deepEqual([sea.messages.at(-1).text, sea.messages.at(-1).epoch], ['after', 1])
  })

  it('opens in columns', () => {
    const sea = new Sea()
    const frames = ['1', '22', '333'].map((data) => sea.device.seal(data))
    const opened = sea.receiver.openMany([...frames, frames[0]])
    assert.deepEqual(
      [...opened.verdicts].map((place) => VERDICTS[place]),
      ['fresh', 'fresh', 'fresh', 'duplicate'],
    )
    assert.deepEqual([...opened.devices], [0, 0, 0, 0])
    assert.equal(opened.data.toString(), '122333')
  })

  it('is handed over again until it is done, at least once', () => {
    const store = Store.sqlite(join(folder, 'state.sqlite3'))
    const keyring = keyringOf('door')
    const sea = new Sea({ store, keyring, delivery: 'at_least_once' })
    const [kept, lost] = ['kept', 'lost'].map((data) => sea.device.seal(data))
    const message = sea.receiver.open(kept)
    assert.equal(message.text, 'kept')
    message.done()
    message.done()
    assert.equal(sea.receiver.open(lost).text, 'lost')
    assert.throws(() => sea.receiver.openMany([lost]), { code: 'invalid_argument' })

    const restarted = new Receiver(keyring, store, { delivery: 'at_least_once' })
    assert.equal(restarted.open(kept).verdict, 'duplicate')
    assert.equal(restarted.open(lost).text, 'lost')
  })

  it('is refused once it is revoked, and commands to it too', () => {
    const sea = new Sea()
    const frame = sea.device.seal('1')
    KeyringFile.open(sea.keyring.path).revoke('door')
    const keyring = Keyring.load(sea.keyring.path)
    assert.equal(keyring.devices[0].revoked, true)
    assert.equal(new Receiver(keyring, sea.store).open(frame).verdict, 'revoked')
    assert.throws(() => new Sender(keyring, sea.store).seal('door', '1'), { code: 'revoked' })
    assert.throws(() => keyring.provision('door'), { code: 'revoked' })
    KeyringFile.open(sea.keyring.path).revoke('door', { undo: true })
    assert.equal(Keyring.load(sea.keyring.path).provision('door').epoch, 0)
  })

  it('is remembered by the store, and taken apart for its owner', () => {
    const sea = new Sea()
    const { address } = sea.device
    const frame = sea.device.seal('open')
    const { counter } = sea.receiver.open(frame)
    const known = sea.store.sealedDevice(address)
    assert.deepEqual([known.epoch, known.head], [0, counter])
    assert.ok(known.lastSeen > 1_700_000_000)
    assert.equal(sea.store.sealedDevice('0011223344556677'), null)

    const inspection = inspect(frame, { keyring: sea.keyring, store: sea.store })
    assert.deepEqual([inspection.format, inspection.layout], ['sealed', null])
    assert.deepEqual(
      inspection.fields.map(({ name }) => name),
      ['magic', 'flags', 'epoch', 'address', 'counter', 'V', 'C'],
    )
    const { listed, findings } = inspection.sealed
    assert.deepEqual([listed.name, listed.head, listed.reachedEpoch], ['door', counter, 0])
    const { fit } = findings.find((each) => each.fit)
    assert.deepEqual([fit.device, fit.mistakes, fit.data.toString()], ['door', [], 'open'])
  })

  it('acknowledges to a process beside the receiver, too', () => {
    const sea = new Sea()
    const command = sea.sender.seal('door', 'on')
    sea.down(command)
    const [{ payload }] = sea.device.publications()
    assert.equal(sea.sender.acknowledges(payload), command.tag)
    assert.equal(sea.sender.acknowledges(sea.device.seal('1')), null)
  })

  it('says what does not fit it', () => {
    const sea = new Sea()
    assert.throws(() => sea.device.drawCommandSession(), { code: 'wrong_format' })
    assert.throws(() => sea.device.send('x'.repeat(20_000)), { code: 'frame_too_long' })
    assert.throws(() => sea.sender.setMode('door', 256), { code: 'invalid_argument' })
    assert.throws(() => Device.fromKeyring(sea.keyring, 'door', { format: 'classic' }), {
      code: 'wrong_format',
    })
    const bad = { delivery: 'exactly_once' }
    assert.throws(() => new Receiver(sea.keyring, sea.store, bad), { code: 'invalid_argument' })
  })

  it('has a store that tells of copies and counts', () => {
    const sea = new Sea()
    const frame = sea.device.seal('1')
    sea.receiver.open(frame)
    assert.equal(typeof sea.store.counts.fresh, 'number')
    sea.store.markRestored()
    assert.notEqual(new Receiver(sea.keyring, sea.store).open(frame).verdict, 'fresh')
  })
})

describe('the file that a device is given', () => {
  it('has its keys and what it connects to, and no setting that is none', () => {
    const keyring = keyringOf('door')
    const settings = { mqtt_host: 'broker.example', mqtt_port: 8883 }
    const key = keyring.provision('door').deviceKey.expose().toString('hex')
    const { file, text } = keyring.provisioningFile('door', 'json', settings)
    const { device_key, mqtt_host, mqtt_port } = JSON.parse(text)
    assert.deepEqual([file, device_key], ['device.json', key])
    assert.deepEqual({ mqtt_host, mqtt_port }, settings)
    const lua = keyring.provisioningFile('door', 'nodemcu')
    assert.ok(lua.file === 'config.lua' && lua.text.includes(`device_key = "${key}"`))
    const wrong = (name, form, more) => () => keyring.provisioningFile(name, form, more)
    assert.throws(wrong('attic', 'json'), { code: 'unknown_name' })
    assert.throws(wrong('door', 'basic'), { code: 'invalid_argument' })
    assert.throws(wrong('door', 'json', { a: 1.5 }), { code: 'invalid_argument' })
    assert.throws(wrong('door', 'nodemcu', { 'a b': 1 }), { code: 'invalid_value' })
  })
})

describe('a keyring file of sealed devices', () => {
  it('adds, migrates, renames, gives new keys and addresses, removes', () => {
    const path = join(folder, 'edited.toml')
    const file = KeyringFile.create(path)
    file.addGroup('house', { topic: 'sensors/+', sessionTopic: 'sensors/session', sessionLife: 90 })
    file.addDevice('old', { group: 'house', nodeId: '7' })
    file.addFleet('boats', { upTopic: 'b/{address}/up', beaconTopic: 'b/beacon' })
    assert.match(file.addSealed('old', { fleet: 'boats', chipId: 0x1234 }), /^[0-9a-f]{16}$/)
    assert.equal(
      file.addSealed('new', { fleet: 'boats', address: '0011223344556677' }),
      '0011223344556677',
    )
    file.rename('new', 'newer')
    const before = Keyring.load(path).provision('newer').deviceKey.expose()
    assert.equal(file.rekey('newer', { reached: 4 }), 5)
    const [old, newer] = Keyring.load(path).devices
    assert.deepEqual([old.group, old.fleet], ['house', 'boats'])
    assert.deepEqual([newer.name, newer.minimumEpoch, newer.ownKey], ['newer', 5, true])
    assert.notDeepEqual(Keyring.load(path).provision('newer').deviceKey.expose(), before)
    file.setMinimumEpoch('newer', 9)
    assert.notEqual(file.setAddress('newer'), '0011223344556677')
    file.remove('old', { only: 'classic' })
    assert.deepEqual(
      Keyring.load(path).devices.map(({ name, group, minimumEpoch }) => [
        name,
        group,
        minimumEpoch,
      ]),
      [
        ['old', null, 0],
        ['newer', null, 9],
      ],
    )
    file.remove('old')
    assert.deepEqual(Keyring.load(path).fleets, [
      {
        name: 'boats',
        beaconTopic: 'b/beacon',
        upFilter: 'b/+/up',
        helloFilter: 'espseal/+/hello',
        dangerFirstContact: false,
        devices: 1,
      },
    ])
    assert.throws(() => file.addSealed('x', { fleet: 'boats', address: '12' }), {
      code: 'invalid_value',
    })
    const both = { fleet: 'boats', address: '0011223344556677', chipId: 1 }
    assert.throws(() => file.addSealed('x', both), { code: 'invalid_argument' })
    assert.throws(() => file.rekey('nobody'), { code: 'unknown_name' })
  })
})
