'use strict'

// The program of README.md, as it stands there, on a real broker.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const mqtt = require('mqtt')
const { Device, Keyring } = require('../lib')
const { keyringText } = require('./support/keyring')
const { startMosquitto } = require('./support/mosquitto')
const { waitFor } = require('./support/wait')

const PACKAGE = join(__dirname, '..')
const text = readFileSync(join(PACKAGE, 'README.md'), 'utf8')
const block = (language) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)[1]

describe('the program of README.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-readme-'))
  let broker, client, program
  let printed = ''

  before(async () => {
    broker = await startMosquitto()
    mkdirSync(join(folder, 'node_modules/@espseal'), { recursive: true })
    symlinkSync(PACKAGE, join(folder, 'node_modules/@espseal/node-red-espseal'))
    symlinkSync(join(PACKAGE, 'node_modules/mqtt'), join(folder, 'node_modules/mqtt'))
    writeFileSync(join(folder, 'keyring.toml'), keyringText())
    chmodSync(join(folder, 'keyring.toml'), 0o600)
    const source = block('js')
    assert.ok(source.includes("'mqtt://localhost'"))
    writeFileSync(join(folder, 'program.js'), source.replace('mqtt://localhost', broker.url))
    const env = {
      ...process.env,
      ESPSEAL_KEYRING: join(folder, 'keyring.toml'),
      XDG_STATE_HOME: folder,
    }
    program = spawn(process.execPath, ['program.js'], { cwd: folder, env })
    for (const stream of [program.stdout, program.stderr]) {
      stream.on('data', (chunk) => (printed += chunk))
    }
    client = await mqtt.connectAsync(broker.url)
  })

  after(async () => {
    await client?.endAsync()
    program?.kill()
    await broker?.stop()
    rmSync(folder, { recursive: true })
  })

  it('prints what it says', async () => {
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
    const expected = block('text')
    await waitFor(
      () => printed.length >= expected.length,
      () => `the output, so far: ${printed}`,
    )
    assert.equal(printed, expected)
  })
})
