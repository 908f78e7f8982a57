'use strict'

const { Device } = require('../lib')
const { Kit } = require('./runtime/node')
const { commandBytes, isBytes } = require('./runtime/payload')
const { bad, calm, good, note } = require('./runtime/status')
const { Trouble } = require('./runtime/trouble')

// As many as in the firmware: what was read before there is a session waits for one.
const OUTBOX = 20

module.exports = function (RED) {
  function DeviceNode(config) {
    RED.nodes.createNode(this, config)
    const node = this
    const outbox = []
    let device, entry, failure, raw
    let sealed = 0

    const kit = new Kit(RED, this, config.keyring, 'espseal-device')
    const { runtime } = kit
    kit.begin({ status, input, start })
    kit.on('change', start)

    function start() {
      device = failure = undefined
      if (runtime?.state !== 'ready') return
      try {
        const { devices, groups } = runtime.keyring
        device = Device.fromKeyring(runtime.keyring, config.device ?? '')
        entry = devices.find(({ name }) => name === device.name)
        raw = groups.find(({ name }) => name === entry.group).layout === 'raw'
        drawCommandSession()
      } catch (error) {
        failure = error
      }
      kit.show()
    }

    function input(msg, send, done) {
      kit.need()
      if (!device) throw failure ?? new Trouble('no_keys', kit.text('no-keys'))
      const { topic, payload } = msg
      const isOf = (own) => own !== null && own === topic
      if (isOf(device.sessionTopic)) {
        if (isBytes(payload)) device.hear(payload)
      } else if (isOf(entry.commandTopic)) {
        if (isBytes(payload)) obey(msg, send)
      } else {
        outbox.push(commandBytes(payload))
        if (outbox.length > OUTBOX) outbox.shift()
      }
      flush()
      done()
    }

    /** Seals what waits. Without a session it goes on waiting. */
    function flush() {
      while (outbox.length > 0) {
        let frame
        try {
          frame = device.seal(outbox[0])
        } catch (error) {
          if (error.code === 'no_session') return
          outbox.shift()
          throw error
        }
        outbox.shift()
        sealed++
        const topic = entry.topic ?? (config.topic || `sensors/${device.name}`)
        publish({ topic, payload: raw ? frame : frame.toString('latin1'), retain: false })
      }
    }

    function obey(msg, send) {
      const message = device.open(msg.payload)
      if (message.verdict !== 'fresh') return
      send([null, { ...msg, payload: message.text, device: device.name }])
      drawCommandSession()
    }

    function drawCommandSession() {
      const topic = entry.commandSessionTopic
      if (topic === null) return
      publish({ topic, payload: device.drawCommandSession().toString('latin1'), retain: true })
    }

    function publish(message) {
      node.send([{ qos: 1, ...message }, null])
    }

    function status() {
      if (failure) return bad(failure.message)
      if (outbox.length > 0) return note(kit.text('status.waiting'))
      return sealed > 0
        ? good(kit.text('status.sealed', { count: sealed }))
        : calm(kit.text('status.ready'))
    }
  }

  RED.nodes.registerType('espseal device', DeviceNode)
}
