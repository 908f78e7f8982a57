'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const { mkdtempSync, readdirSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
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

  /** What a new process says that cannot load it. */
  function failure(before, env = {}) {
    const program = `
      ${before}
      try { require(${JSON.stringify(LIBRARY)}).Keyring.parse('') }
      catch ({ code, message }) { console.log(JSON.stringify([code, message])) }
    `
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
      env: { ...process.env, ...env },
    })
    assert.equal(stderr, '')
    const [code, message] = JSON.parse(stdout)
    assert.equal(code, 'no_backend')
    assert.doesNotMatch(message, /npm|package-lock|node_modules/)
    assert.match(message, /README/)
    return message
  }

  it('says for which system there is none, for which there is, and what to do', () => {
    const addon = readdirSync(join(LIBRARY, 'native')).find((file) => file.endsWith('.node'))
    const [, built] = addon.split('.')
    const message = failure("Object.defineProperty(process, 'arch', { value: 'riscv64' })")
    assert.ok(message.includes(`${process.platform}-riscv64`), message)
    assert.ok(message.includes(`the only addon is for ${built}`), message)
  })

  it('says why one that is there does not load', (test) => {
    const folder = mkdtempSync(join(tmpdir(), 'espseal-backend-'))
    test.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'broken.node')
    writeFileSync(file, 'no addon')
    const message = failure('', { NAPI_RS_NATIVE_LIBRARY_PATH: file })
    assert.ok(message.includes(`the addon does not load: ${file}: `), message)
  })
})
