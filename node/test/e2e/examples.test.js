'use strict'

// Each example of the Import menu, in the real runtimes.

const assert = require('node:assert/strict')
const { readFileSync, readdirSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const mqtt = require('mqtt')
const { Device, Keyring } = require('../../lib')
const { startMosquitto } = require('../support/mosquitto')
const { NodeRed, RUNTIMES } = require('../support/node-red')
const { waitFor } = require('../support/wait')
const { keyringText } = require('../support/keyring')
const { PACKAGE } = require('../support/tarball')

const FOLDER = join(PACKAGE, 'examples')

/** The flow of an example; what its debug nodes show is in Node-RED's log, too. */
function example(name) {
  const flow = JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'))
  return flow.map((node) => (node.type === 'debug' ? { ...node, console: true } : node))
}

for (const runtime of RUNTIMES) {
  describe(`the examples on ${runtime.name}`, () => {
    const red = new NodeRed(runtime)
    const tested = new Set()
    let from = 0

    /** What a debug node has shown since the example was deployed. */
    function shown(name) {
      const pattern = new RegExp(`\\[debug:${name}\\]\\s*\\n?([^]*?)(?=\\n\\d+ \\w+ \\d|$)`, 'g')
      return [...red.log.slice(from).matchAll(pattern)].map(([, text]) => text.trim())
    }

    const wait = (name, pattern) =>
      waitFor(
        () => shown(name).find((text) => pattern.test(text)),
        () => `${pattern} of ${name}:\n${red.log.slice(from)}`,
      )

    async function deploy(name, change = (flow) => flow) {
      tested.add(name)
      await red.deploy([])
      from = red.log.length
      const flow = change(example(name))
      await red.deploy(flow)
      return flow
    }

    /** Presses the button of an inject node. */
    async function press(flow, name) {
      const { id } = flow.find((node) => node.type === 'inject' && node.name === name)
      const response = await fetch(`${red.url}/inject/${id}`, { method: 'POST' })
      assert.equal(response.status, 200)
    }

    before(async () => {
      await red.install()
      await red.start()
    })

    after(async () => {
      await red.remove()
    })

    it('first light: a reading goes the whole way', async () => {
      await deploy('first-light')
      await wait('what travels', /^[0-9a-f,]{139}$/)
      await wait('the reading', /^2\d(\.\d)?$/)
      assert.deepEqual(shown('refused'), [])
    })

    it('commands with confirmation: the lamp obeys, and says so', async () => {
      const flow = await deploy('commands')
      await press(flow, 'on')
      await wait('confirmed', /^the lamp is on$/)
      await press(flow, 'off')
      await wait('confirmed', /^the lamp is off$/)
      assert.deepEqual([shown('refused'), shown('not sent')], [[], []])
    })

    it('alarms on attacks: nothing gets through', async () => {
      const flow = await deploy('alarms')
      await wait('readings', /^2\d(\.\d)?$/)
      await press(flow, 'repeat it')
      await wait('copies, now and then ordinary', /duplicate/)
      await press(flow, 'change it')
      await wait('alarm', /^Somebody tampers on sensors\/kitchen: forged/)
      await press(flow, 'make it up')
      const readings = shown('readings')
      assert.ok(readings.every((reading) => /^2\d(\.\d)?$/.test(reading)))
    })

    it('sensors: readings come through the broker', async () => {
      const broker = await startMosquitto()
      const client = await mqtt.connectAsync(broker.url)
      try {
        writeFileSync(join(red.folder, 'keyring.toml'), keyringText(), { mode: 0o600 })
        const device = Device.fromKeyring(Keyring.parse(keyringText()), 'kitchen')
        let isReady = false
        client.on('message', (_topic, payload) => (isReady = device.hear(payload) || isReady))
        await client.subscribeAsync('sensors/session')
        await deploy('sensors', (flow) =>
          flow.map((node) => {
            if (node.type === 'mqtt-broker') return { ...node, port: String(broker.port) }
            return node.type === 'espseal keyring' ? { ...node, file: 'keyring.toml' } : node
          }),
        )
        await waitFor(() => isReady, 'a session ID')
        const frame = device.seal('21.5')
        await client.publishAsync('sensors/kitchen', frame)
        await wait('readings', /payload: '21\.5'/)
        await client.publishAsync('sensors/kitchen', frame)
        await wait('refused', /verdict: 'duplicate'/)
        assert.deepEqual(shown('problems'), [])
      } finally {
        await red.deploy([])
        await client.endAsync()
        await broker.stop()
      }
    })

    it('are all tested, and hold no key', () => {
      const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''))
      assert.deepEqual([...tested].sort(), names.sort())
      for (const name of names) {
        const flow = example(name)
        assert.ok(flow.every((node) => node.credentials === undefined))
      }
      assert.ok(!/uncaught|unhandled/i.test(red.log), red.log)
    })

    it('are calm where keys are missing', async () => {
      const flow = example('first-light')
      await red.deploy([])
      from = red.log.length
      await red.deploy(
        flow
          .filter(({ type }) => type !== 'inject')
          .map((node) => (node.type === 'espseal keyring' ? { ...node, source: 'typed' } : node)),
      )
      assert.ok(!/\[error\]|\[warn\]/.test(red.log.slice(from)), red.log.slice(from))
    })
  })
}
