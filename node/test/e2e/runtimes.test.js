'use strict'

// The real runtimes, a real broker, and devices that run the real firmware.

const assert = require('node:assert/strict')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const mqtt = require('mqtt')
const { startMosquitto } = require('../support/mosquitto')
const { NodeRed, RUNTIMES } = require('../support/node-red')
const { waitFor } = require('../support/wait')
const { flow, makeKeyring, startDevices } = require('./house')

for (const runtime of RUNTIMES) {
  describe(runtime.name, () => {
    const red = new NodeRed(runtime)
    const results = { fresh: [], refused: [], ack: [], error: [] }
    const captured = []
    let broker, client, devices

    const readings = (device) => results.fresh.filter((each) => each.device === device)
    const values = (device) => readings(device).map(({ payload }) => Number(payload))
    const log = () =>
      `\n${devices?.errors()}\n${red.log.slice(-3000)}\n${devices?.lines.slice(-20).join('\n')}`

    before(async () => {
      broker = await startMosquitto()
      client = await mqtt.connectAsync(broker.url)
      client.on('message', (topic, payload) => {
        const [first, kind] = topic.split('/')
        if (first === 'result') results[kind].push(JSON.parse(payload))
        else captured.push({ topic, payload })
      })
      await client.subscribeAsync(['result/#', 'house/lamp', 'espseal/+/up', 'espseal/+/hello'])
      await red.install()
      const file = join(red.folder, 'keyring.toml')
      const given = makeKeyring(file)
      await red.start()
      await red.deploy(flow(file, broker.port))
      devices = startDevices(given, broker.port)
    })

    after(async () => {
      await devices?.stop()
      await client?.endAsync()
      await red.remove()
      await broker?.stop()
    })

    for (const device of ['lamp', 'door']) {
      it(`hands over the readings of the ${device}, each once and in order`, async () => {
        await waitFor(
          () => readings(device).length >= 5,
          () => `five readings${log()}`,
        )
        const seen = values(device)
        assert.deepEqual(
          seen,
          [...new Set(seen)].sort((a, b) => a - b),
        )
        const { espseal } = readings(device)[0]
        assert.equal(espseal.verdict, 'fresh')
        assert.equal(espseal.address === undefined, device === 'lamp')
      })
    }

    it('sends commands, which are obeyed once', async () => {
      await client.publishAsync('control/lamp', 'on')
      await waitFor(
        () => devices.lines.includes('7 does on'),
        () => `the lamp${log()}`,
      )
      await client.publishAsync('control/door', 'unlock')
      await waitFor(
        () => devices.lines.includes('8 does unlock'),
        () => `the door${log()}`,
      )
      const [ack] = await waitFor(() => results.ack.length && results.ack, 'the acknowledgement')
      assert.deepEqual([ack.payload, ack.device], ['unlock', 'door'])
      assert.equal(devices.lines.filter((line) => line.includes('does')).length, 2)
    })

    it('refuses what was recorded, changed or made up', async () => {
      const recorded = captured.filter(({ topic }) => !topic.endsWith('hello')).slice(0, 20)
      const before_ = results.refused.length
      for (const { topic, payload } of recorded) await client.publishAsync(topic, payload)
      const changed = Buffer.from(recorded[0].payload)
      changed[changed.length - 1] ^= 1
      await client.publishAsync(recorded[0].topic, changed)
      await client.publishAsync('house/lamp', 'no frame at all')
      const expected = recorded.length + 2
      await waitFor(
        () => results.refused.length >= before_ + expected,
        () => `refusals${log()}`,
      )
      const verdicts = new Set(results.refused.slice(before_).map(({ espseal }) => espseal.verdict))
      assert.ok(verdicts.has('duplicate') && verdicts.has('malformed'))
      for (const device of ['lamp', 'door']) {
        assert.equal(new Set(values(device)).size, values(device).length, 'none came twice')
      }
    })

    it('says what is wrong with a command', async () => {
      await client.publishAsync('control/attic', 'on')
      const { error } = await waitFor(() => results.error.shift(), 'the error')
      assert.equal(error.code, 'unknown_name')
    })

    it('remembers all of it over a restart', async () => {
      const recorded = captured.slice(0, 30)
      await red.stop()
      const [lamp, door] = [values('lamp').length, values('door').length]
      const refused = results.refused.length
      await red.start()
      const goOn = () => values('lamp').length > lamp + 3 && values('door').length > door + 3
      await waitFor(goOn, () => `readings after the restart${log()}`)
      for (const { topic, payload } of recorded) await client.publishAsync(topic, payload)
      const judged = recorded.filter(({ topic }) => !topic.endsWith('hello')).length
      await waitFor(
        () => results.refused.length >= refused + judged,
        () => `refusals${log()}`,
      )
      for (const device of ['lamp', 'door']) {
        assert.equal(new Set(values(device)).size, values(device).length, 'none came twice')
      }
      assert.ok(!/uncaught|unhandled/i.test(red.log), red.log)
    })
  })
}
