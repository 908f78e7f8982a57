'use strict'

const { Device } = require('../lib')
const { ClassicEnd } = require('./runtime/classic-end')
const { Kit } = require('./runtime/node')
const { commandBytes, isBytes } = require('./runtime/payload')
const { SealedEnd } = require('./runtime/sealed-end')
const { bad, calm, good, note } = require('./runtime/status')
const { Trouble } = require('./runtime/trouble')

module.exports = function (RED) {
  function DeviceNode(config) {
    RED.nodes.createNode(this, config)
    const node = this
    let end, failure
    let sealed = 0

    const kit = new Kit(RED, this, config.keyring, 'espseal-device')
    kit.begin({ status, input, start, close })
    kit.on('change', start)

    function start() {
      close()
      end = failure = undefined
      if (kit.runtime?.state === 'ready') {
        try {
          end = makeEnd(kit.runtime.keyring)
          end.start()
        } catch (error) {
          failure = error
        }
      }
      kit.show()
    }

    function makeEnd(keyring) {
      const device = Device.fromKeyring(keyring, config.device ?? '')
      const given = { device, keyring, topic: config.topic, publish, failed }
      return device.format === 'sealed' ? new SealedEnd(given) : new ClassicEnd(given)
    }

    function input(msg, send, done) {
      const { topic, payload } = msg
      const isForOthers = kit.need().owns(topic) && !end?.hears(topic) && !end?.obeys(topic)
      if (isForOthers) return done()
      if (!end) throw failure ?? new Trouble('no_keys', kit.text('no-keys'))
      if (end.hears(topic)) {
        if (isBytes(payload)) end.hear(payload)
      } else if (end.obeys(topic)) {
        const message = isBytes(payload) ? end.open(payload) : null
        if (message?.data) send([null, { ...msg, payload: message.text, device: config.device }])
      } else {
        end.send(commandBytes(payload))
      }
      end.serve()
      done()
    }

    function publish({ topic, payload, qos, retain }, isReading) {
      if (isReading) sealed++
      node.send([{ topic, payload, qos, retain }, null])
      kit.show()
    }

    function failed(error) {
      failure = error
      kit.show()
    }

    function close() {
      end?.close()
    }

    function status() {
      if (failure) return bad(failure.code)
      if (end?.isWaiting) return note(kit.text('status.waiting'))
      const count = sealed
      return count > 0 ? good(kit.text('status.sealed', { count })) : calm(kit.text('status.ready'))
    }
  }

  RED.nodes.registerType('espseal device', DeviceNode)
}
