'use strict'

const { Awaited } = require('./runtime/awaited')
const { Kit } = require('./runtime/node')
const { commandBytes } = require('./runtime/payload')
const { bad, calm, good, note } = require('./runtime/status')
const { Trouble } = require('./runtime/trouble')
const { WaitingRoom } = require('./runtime/waiting-room')

// A device that sleeps comes back by itself, and so does a receiver that starts later; everything
// else somebody has to mend.
const PASSING = new Set(['no_session', 'not_authority'])

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

    const room = new WaitingRoom({ serve, expired: ({ done, reason }) => fail(done, reason) })
    const kit = new Kit(RED, this, config.keyring, 'espseal-seal')
    // Before it is shown: what failed without a keyring says nothing of this one.
    kit.on('change', () => (failure = undefined))
    kit.begin({ status, input, close })
    kit.on('acknowledged', (tag) => {
      const msg = awaited.take(tag)
      if (!msg) return
      acknowledged++
      node.send([null, msg])
      kit.show()
    })
    for (const event of ['command-session', 'change']) {
      kit.on(event, () => {
        room.look()
        kit.show()
      })
    }

    function input(msg, send, done) {
      const device = config.device || msg.device
      if (typeof device !== 'string' || device === '') {
        return fail(done, new Trouble('no_device', kit.text('no-device')))
      }
      const entry = { msg, send, done, device }
      // Behind those that wait already, for their order.
      const reason = room.reason(device) ?? serve(entry)
      if (reason === null) return
      if (patience > 0) room.enter({ ...entry, reason }, patience)
      else fail(done, reason)
    }

    /** Null once there is no more to do; else why the command can only wait. */
    function serve({ msg, send, done, device }) {
      let publication, tag
      try {
        ;({ tag, ...publication } = kit.need().seal(device, commandBytes(msg.payload)))
      } catch (error) {
        if (PASSING.has(error.code)) return error
        fail(done, error)
        return null
      }
      sent++
      last = device
      failure = undefined
      if (tag !== null) awaited.add(tag, { ...msg, device })
      send([{ ...msg, ...publication, device }, null])
      done()
      return null
    }

    function fail(done, error) {
      failure = error
      done(error)
      kit.show()
    }

    function close() {
      for (const { done } of room.clear()) {
        done(new Trouble('closed', kit.text('closed')))
      }
    }

    function status() {
      if (room.size > 0) return note(kit.text('status.waiting', { count: room.size }))
      if (failure) return (PASSING.has(failure.code) ? note : bad)(failure.code)
      if (sent === 0) return calm(kit.text('status.ready'))
      const counts = { device: last, count: sent, acknowledged }
      return good(kit.text(acknowledged > 0 ? 'status.acknowledged' : 'status.sent', counts))
    }
  }

  RED.nodes.registerType('espseal seal', SealNode)
}
