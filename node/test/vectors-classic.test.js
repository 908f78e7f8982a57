'use strict'

// The shared vectors, made by an implementation that shares no code with the core.

const assert = require('node:assert/strict')
const { describe, it } = require('node:test')
const { classic } = require('../lib')
const { read } = require('./support/vectors')

function keysOf(record) {
  return new classic.ClassicKeys({
    ivKey: record.bytes('iv_key'),
    dataKey: record.bytes('data_key'),
    staticIv: record.bytes('static_iv'),
    passphrase: record.bytes('passphrase'),
  })
}

function schemeOf(record) {
  return {
    layout: record.text('layout'),
    data: record.text('data_mode'),
    mac: record.text('mac_over'),
    dangerAcceptReplays: record.text('danger_accept_replays') === 'true',
  }
}

/** Here the node field is one argument, which says by itself who speaks to whom. */
function saysItsDirection(record) {
  return directionOf(record.bytes('node_id')) === (record.text('direction') ?? 'reading')
}

function directionOf(node) {
  const at = node.indexOf('>')
  return at < 0 ? 'reading' : at === 0 ? 'command' : 'peer'
}

function open(record) {
  const sessions = [record.bytes('session')]
  return classic.open(record.bytes('frame'), keysOf(record), sessions, schemeOf(record))
}

describe('classic_seal.txt', () => {
  const records = read('classic_seal.txt')

  it('leaves out only what is refused elsewhere', () => {
    const unsaid = records.filter((record) => !saysItsDirection(record))
    const expected = new Set(unsaid.map((record) => record.text('expect')))
    assert.deepEqual(expected, new Set(['invalid_node_id']))
  })

  for (const record of records.filter(saysItsDirection)) {
    it(record.name, () => {
      const [node, data, session, iv] = ['node_id', 'data', 'session', 'iv'].map(record.bytes)
      const seal = () =>
        classic.dangerSealWithIv(keysOf(record), node, data, session, iv, schemeOf(record))
      if (record.text('expect') === 'sealed') {
        assert.deepEqual(seal(), record.bytes('frame'))
      } else {
        assert.throws(seal, { code: record.text('expect') })
      }
    })
  }
})

describe('classic_open.txt', () => {
  for (const record of read('classic_open.txt')) {
    it(record.name, () => {
      const opened = open(record)
      assert.equal(opened.verdict, record.text('expect'))
      assert.deepEqual(opened.node, record.bytes('node_id'))
      assert.deepEqual(opened.data, record.bytes('data'))
      assert.equal(opened.session, 0)
    })

    it(`${record.name}, sealed anew`, () => {
      const [node, data, session] = ['node_id', 'data', 'session'].map(record.bytes)
      const frame = classic.seal(keysOf(record), node, data, session, schemeOf(record))
      const again = classic.open(frame, keysOf(record), [session], schemeOf(record))
      assert.equal(again.verdict, 'fresh')
      assert.deepEqual([again.node, again.data], [node, data])
    })
  }
})

describe('classic_reject.txt', () => {
  for (const record of read('classic_reject.txt')) {
    it(record.name, () => {
      const opened = open(record)
      if (record.text('expect') !== 'wrong_direction') {
        assert.equal(opened.verdict, record.text('expect'))
        assert.equal(opened.data, null)
        assert.equal(opened.malformed, record.text('reason') ?? null)
        const offset = record.text('offset')
        assert.equal(opened.offset, offset === undefined ? null : Number(offset))
        return
      }
      // Without state the direction is the caller's to judge: by the node field.
      assert.equal(opened.verdict, 'fresh')
      const meant = Buffer.from(record.text('expected_node_id') ?? '', 'hex')
      const said = directionOf(opened.node)
      const to = opened.node.subarray(opened.node.indexOf('>') + 1)
      const expected = record.text('direction') ?? 'reading'
      assert.ok(said !== expected || (said !== 'reading' && !to.equals(meant)))
    })
  }
})

describe('session.txt', () => {
  for (const record of read('session.txt')) {
    it(record.name, () => {
      const valid = classic.sessionIdIsValid(record.bytes('session_key'), record.text('id'))
      assert.equal(valid, record.text('expect') === 'valid')
    })
  }
})
