'use strict'

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { VERDICTS, Store } = require('../lib')
const { pair } = require('./support/keyring')

describe('openMany', () => {
  it('answers in columns', () => {
    const { keyring, receiver, device } = pair()
    const first = device.seal('one')
    const frames = [first, 'no frame', device.seal('').toString(), new Uint8Array(first)]
    const last = JSON.parse(JSON.stringify(device.seal('a longer reading than the others')))
    const opened = receiver.openMany([...frames, last], { topic: 'sensors/1' })
    assert.deepEqual(
      [...opened.verdicts].map((place) => VERDICTS[place]),
      ['fresh', 'malformed', 'fresh', 'duplicate', 'fresh'],
    )
    const names = [...opened.devices].map((place) => keyring.devices[place]?.name)
    assert.deepEqual(names, ['kitchen', undefined, 'kitchen', 'kitchen', 'kitchen'])
    const rows = [...opened.verdicts.keys()].map((row) =>
      opened.data.toString('utf8', opened.offsets[row], opened.offsets[row + 1]),
    )
    assert.deepEqual(rows, ['one', '', '', '', 'a longer reading than the others'])
    assert.equal(opened.offsets.length, 6)
    assert.equal(opened.data.length, opened.offsets[5])
    assert.equal(receiver.counts.fresh, 3)
  })

  it('answers as one by one', () => {
    const [bulk, single] = [pair(), pair()]
    const texts = Array.from({ length: 500 }, (_, number) => 'x'.repeat(number % 40))
    const opened = bulk.receiver.openMany(texts.map((text) => bulk.device.seal(text)))
    const messages = texts.map((text) => single.receiver.open(single.device.seal(text)))
    assert.deepEqual(
      [...opened.verdicts].map((place) => VERDICTS[place]),
      messages.map((message) => message.verdict),
    )
    assert.equal(opened.data.toString(), messages.map((message) => message.text).join(''))
  })

  it('takes none at all', () => {
    const { receiver } = pair()
    const opened = receiver.openMany([])
    assert.deepEqual([opened.verdicts.length, opened.data.length], [0, 0])
    assert.deepEqual([...opened.offsets], [0])
    assert.throws(() => receiver.openMany('frame'), { code: 'invalid_argument' })
  })

  it('tells what was opened before the store failed', () => {
    const { mkdtempSync, renameSync, rmSync } = require('node:fs')
    const { join } = require('node:path')
    const folder = mkdtempSync(join(require('node:os').tmpdir(), 'espseal-'))
    try {
      const store = Store.sqlite(join(folder, 'state.sqlite3'))
      const { receiver, device } = pair({ store })
      const frame = device.seal('1')
      renameSync(join(folder, 'state.sqlite3'), join(folder, 'elsewhere'))
      assert.throws(
        () => receiver.openMany(['no frame', frame, 'no frame']),
        (error) => {
          assert.equal(error.code, 'moved')
          assert.deepEqual([...error.opened.verdicts], [VERDICTS.indexOf('malformed')])
          return true
        },
      )
      assert.throws(() => receiver.open(frame), { code: 'moved' })
      renameSync(join(folder, 'elsewhere'), join(folder, 'state.sqlite3'))
      assert.equal(receiver.open(frame).verdict, 'fresh')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
