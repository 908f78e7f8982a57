'use strict'

// The programs of README.md, as they stand there, and what it says of other files.

const assert = require('node:assert/strict')
const { execFileSync, spawn } = require('node:child_process')
const {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const mqtt = require('mqtt')
const { Device, Keyring, VERDICTS } = require('../lib')
const { version } = require('../package.json')
const { keyringText } = require('./support/keyring')
const { startMosquitto } = require('./support/mosquitto')
const { waitFor } = require('./support/wait')

const PACKAGE = join(__dirname, '..')
// What a page on a slow line bears.
const LARGEST_PICTURE = 150_000
const text = readFileSync(join(PACKAGE, 'README.md'), 'utf8')

/** Each program, and the block after it: what it prints. */
const programs = [...text.matchAll(/```js\n([^]*?)```[^]*?```text\n([^]*?)```/g)].map(
  ([, source, printed]) => ({ source, printed }),
)

describe('the programs of README.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-readme-'))
  const keyring = join(folder, 'keyring.toml')
  const env = { ...process.env, ESPSEAL_KEYRING: keyring, XDG_STATE_HOME: folder }

  before(() => {
    mkdirSync(join(folder, 'node_modules/@espseal'), { recursive: true })
    symlinkSync(PACKAGE, join(folder, 'node_modules/@espseal/node-red-espseal'))
    symlinkSync(join(PACKAGE, 'node_modules/mqtt'), join(folder, 'node_modules/mqtt'))
    writeFileSync(keyring, keyringText())
    chmodSync(keyring, 0o600)
  })

  after(() => rmSync(folder, { recursive: true }))

  it('are three', () => {
    assert.equal(programs.length, 3)
    assert.equal(text.split('```js').length, 4)
  })

  it('prints what it says, with mqtt.js', async (test) => {
    const { source, printed: expected } = programs[0]
    const broker = await startMosquitto()
    test.after(() => broker.stop())
    assert.ok(source.includes("'mqtt://localhost'"))
    writeFileSync(join(folder, 'program.js'), source.replace('mqtt://localhost', broker.url))
    const program = spawn(process.execPath, ['program.js'], { cwd: folder, env })
    test.after(() => program.kill())
    let printed = ''
    for (const stream of [program.stdout, program.stderr]) {
      stream.on('data', (chunk) => (printed += chunk))
    }
    const client = await mqtt.connectAsync(broker.url)
    test.after(() => client.endAsync())

    const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')
    client.on('message', (_topic, payload) => device.hear(payload))
    await client.subscribeAsync(device.sessionTopic)
    const frame = await waitFor(() => {
      try {
        return device.seal('21.5')
      } catch (error) {
        assert.equal(error.code, 'no_session', printed)
        return null
      }
    }, 'a session ID')
    await client.publishAsync('sensors/kitchen', frame, { qos: 1 })
    await client.publishAsync('sensors/kitchen', frame, { qos: 1 })
    await waitFor(
      () => printed.length >= expected.length,
      () => `the output, so far: ${printed}`,
    )
    assert.equal(printed, expected)
  })

  for (const { source, printed } of programs.slice(1)) {
    it(`prints ${JSON.stringify(printed)}`, () => {
      writeFileSync(join(folder, 'program.js'), source)
      const options = { cwd: folder, env, encoding: 'utf8' }
      assert.equal(execFileSync(process.execPath, ['program.js'], options), printed)
    })
  }
})

describe('README.md', () => {
  it('says what to do about each verdict', () => {
    const table = /## What the verdicts mean\n([^]*?)\n## /.exec(text)[1]
    const listed = [...table.matchAll(/^\| `(\w+)` +\|/gm)].map(([, verdict]) => verdict)
    assert.deepEqual(listed.sort(), [...VERDICTS].sort())
  })

  it('names the codes that there are', () => {
    const table = /## Errors\n([^]*?)\n## /.exec(text)[1]
    const rows = [...table.matchAll(/^\| (`[^|]*`) +\|/gm)].map(([, codes]) => codes)
    const codes = rows.flatMap((row) => row.split(', ').map((code) => code.replaceAll('`', '')))
    assert.ok(codes.length > 10)
    // The library's, and those of the nodes themselves.
    const places = ['lib/index.d.ts', 'nodes/espseal-open.js', 'nodes/runtime/keyring.js']
    const sources = places.map((place) => readFileSync(join(PACKAGE, place), 'utf8')).join('\n')
    const known = new Set([...sources.matchAll(/[`']([a-z_]+)[`']/g)].map(([, word]) => word))
    const unknown = codes.filter((code) => !known.has(code))
    assert.deepEqual(unknown, [])
  })

  it('links to files that are there, and shows small pictures', () => {
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link)
    assert.ok(links.length > 10)
    for (const link of links) assert.ok(existsSync(join(PACKAGE, link)), link)
    const pictures = links.filter((link) => link.endsWith('.png'))
    assert.ok(pictures.length > 4)
    for (const picture of pictures) {
      assert.ok(statSync(join(PACKAGE, picture)).size < LARGEST_PICTURE, picture)
    }
  })

  it('names the file that npm packs', () => {
    assert.ok(text.includes(`espseal-node-red-espseal-${version}.tgz`))
  })
})
