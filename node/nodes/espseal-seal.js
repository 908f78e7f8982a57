'use strict'

const { Awaited } = require('./runtime/awaited')
const { Kit } = require('./runtime/node')
const { commandBytes } = require('./runtime/payload')
const { bad, calm, good, note } = require('./runtime/status')
const { Trouble } = require('./runtime/trouble')
const { WaitingRoom } = require('./runtime/waiting-room')

module.exports = function (RED) {
  function SealNode(config) {
    RED.nodes.createNode(this, config)
    const patience = Math.max(0, Number(config.wait) || 0) * 1000
    const node = this
    const awaited = new Awaited()
    let sent = 0
    let acknowledged = 0
    let last
    let failure

    const room = new WaitingRoom({
      isReady: (device) => runtime.isReady(device),
      serve,
      expired: ({ done, device }) => fail(done, noSession(device)),
    })
    const kit = new Kit(RED, this, config.keyring, 'espseal-seal')
    const { runtime } = kit
    kit.begin({ status, input, close })
    kit.on('acknowledged', (tag) => {
      const msg = awaited.take(tag)
      if (!msg) return
      acknowledged++
      node.send([null, msg])
      kit.show()
    })
    kit.on('command-session', () => {
      room.look()
      kit.show()
    })

    function input(msg, send, done) {
      const device = config.device || msg.device
      if (typeof device !== 'string' || device === '') {
        return fail(done, new Trouble('no_device', kit.text('no-device')))
      }
      const entry = { msg, send, done, device }
      try {
        // Throws what no waiting helps with. Behind those that wait already, for their order.
        if (kit.need().isReady(device) && !room.has(device)) return serve(entry)
      } catch (error) {
        return fail(done, error)
      }
      if (patience > 0) room.enter(entry, patience)
      else fail(done, noSession(device))
    }

    function serve({ msg, send, done, device }) {
      try {
        const { tag, ...publication } = runtime.seal(device, commandBytes(msg.payload))
        sent++
        last = device
        failure = undefined
        if (tag !== null) awaited.add(tag, { ...msg, device })
        send([{ ...msg, ...publication, device }, null])
        done()
      } catch (error) {
        fail(done, error)
      }
    }

    function fail(done, error) {
      failure = error
      done(error)
      kit.show()
    }

    function noSession(device) {
      return new Trouble('no_session', kit.text('no-session', { device }))
    }

    function close() {
      for (const { done } of room.clear()) {
        done(new Trouble('closed', kit.text('closed')))
      }
    }

    function status() {
      if (room.size > 0) return note(kit.text('status.waiting', { count: room.size }))
      // A device that sleeps comes back by itself; everything else somebody has to mend.
      if (failure) return (failure.code === 'no_session' ? note : bad)(failure.code)
      if (sent === 0) return calm(kit.text('status.ready'))
      const counts = { device: last, count: sent, acknowledged }
      return good(kit.text(acknowledged > 0 ? 'status.acknowledged' : 'status.sent', counts))
    }
  }

  RED.nodes.registerType('espseal seal', SealNode)
}
