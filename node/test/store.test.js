'use strict'

const assert = require('node:assert/strict')
const { mkdtempSync, rmSync, statSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, describe, it } = require('node:test')
const { Keyring, KeyringFile, Receiver, Store } = require('../lib')
const { keyringText, pair } = require('./support/keyring')

const folder = mkdtempSync(join(tmpdir(), 'espseal-'))
after(() => rmSync(folder, { recursive: true }))

describe('Store.sqlite', () => {
  it('forgets nothing over a restart', () => {
    const path = join(folder, 'state.sqlite3')
    const before = pair({ store: Store.sqlite(path) })
    const [seen, late] = [before.device.seal('1'), before.device.seal('2')]
    assert.equal(before.receiver.open(seen).verdict, 'fresh')

    const store = Store.sqlite(path)
    assert.equal(store.path, path)
    const receiver = new Receiver(before.keyring, store)
    assert.equal(receiver.open(seen).verdict, 'duplicate')
    assert.equal(receiver.open(late).verdict, 'stale_session')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('says which file is none of its own', () => {
    const path = join(folder, 'notes.txt')
    writeFileSync(path, 'some notes of somebody'.repeat(100))
    assert.throws(() => Store.sqlite(path), { code: 'not_a_store' })
    assert.throws(() => Store.sqlite(path, { durability: 'all' }), { code: 'invalid_argument' })
  })
})

describe('KeyringFile', () => {
  it('makes a keyring that loads', () => {
    const path = join(folder, 'made', 'keyring.toml')
    const file = KeyringFile.create(path)
    file.addGroup('house', { topic: 'sensors/+', sessionTopic: 'sensors/session' })
    file.addGroup('old', { topic: 'old/+', layout: 'port' })
    file.addDevice('kitchen', { group: 'house', nodeId: '1' })
    file.addDevice('attic', { group: 'old', topic: 'old/attic' })
    const keyring = Keyring.load(path)
    assert.equal(keyring.path, path)
    const none = {
      commandTopic: null,
      commandSessionTopic: null,
      fleet: null,
      address: null,
      downTopic: null,
      minimumEpoch: null,
      revoked: false,
      ownKey: false,
    }
    assert.deepEqual(keyring.devices, [
      { name: 'kitchen', group: 'house', nodeId: '1', topic: null, ...none },
      { name: 'attic', group: 'old', nodeId: null, topic: 'old/attic', ...none },
    ])
    const [{ commandTopic, commandSessionTopic }] = Keyring.parse(keyringText()).devices
    assert.equal(commandTopic, 'sensors/1234567/command')
    assert.equal(commandSessionTopic, 'sensors/1234567/command-session')
    assert.deepEqual(
      keyring.groups.map(({ name, layout, devices }) => [name, layout, devices]),
      [
        ['house', 'hex', 1],
        ['old', 'port', 1],
      ],
    )
    assert.throws(() => KeyringFile.create(path), { code: 'already_exists' })
    assert.throws(() => file.addDevice('kitchen', { group: 'house', nodeId: '2' }), {
      code: 'duplicate_name',
      file: path,
    })
    assert.throws(() => file.addDevice('x', { group: 'house' }), { code: 'invalid_argument' })
    assert.throws(() => Keyring.load(join(folder, 'none.toml')), { code: 'no_file' })
  })
})
