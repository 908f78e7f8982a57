'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { join } = require('node:path')
const { describe, it } = require('node:test')
const { choose } = require('../lib/backend')
const { VERDICTS, backend, version } = require('../lib')
const package_ = require('../package.json')

const LIBRARY = join(__dirname, '..')

describe('the backend', () => {
  it('says which it is', () => {
    assert.equal(backend(), 'native')
    assert.equal(version(), package_.version)
  })

  it('is loaded by the first call that needs it', () => {
    const program = `
      const { Keyring, Verdict } = require(${JSON.stringify(LIBRARY)})
      const loaded = () => process.report.getReport().sharedObjects.some((each) => /espseal/.test(each))
      const before = loaded()
      try { Keyring.parse('') } catch {}
      console.log(before, loaded(), Verdict.FRESH)
    `
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' })
    assert.equal(stdout, 'false true fresh\n', stderr)
  })

  it('is the first one that loads', () => {
    const good = { verdicts: () => [...VERDICTS] }
    const broken = () => {
      throw new Error('wrong libc')
    }
    const chosen = choose([
      { name: 'broken', load: broken },
      { name: 'old', load: () => ({ verdicts: () => VERDICTS.slice(1) }) },
      { name: 'good', load: () => good },
    ])
    assert.deepEqual(chosen, { name: 'good', exports: good })
    assert.throws(() => choose([{ name: 'broken', load: broken }]), {
      code: 'no_backend',
      message: /broken: wrong libc/,
    })
  })
})
