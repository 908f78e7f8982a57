'use strict'

const { Kit } = require('./runtime/node')
const { isBytes, reading } = require('./runtime/payload')
const { bad, calm, good, note } = require('./runtime/status')
const { Trouble } = require('./runtime/trouble')

// Refused, but in the ordinary course of things.
const ORDINARY = new Set(['duplicate', 'stale_session'])

module.exports = function (RED) {
  function OpenNode(config) {
    RED.nodes.createNode(this, config)
    const counts = { fresh: 0, refused: 0 }
    let last
    let failure

    const kit = new Kit(RED, this, config.keyring, 'espseal-open')
    // Before it is shown: what failed without a keyring says nothing of this one.
    kit.on('change', () => (failure = undefined))
    kit.begin({ status, input })

    function input(msg, send, done) {
      const { topic, retain } = msg
      const name = typeof topic === 'string' && topic !== '' ? topic : undefined
      const runtime = kit.need()
      // Commands to devices are no readings, whoever wires them here.
      if (runtime.isForDevice(name)) return done()
      if (!isBytes(msg.payload)) {
        if (runtime.isSession(name)) return done()
        const reason = kit.text('not-bytes')
        return refuse(msg, send, done, { verdict: 'malformed', reason })
      }
      const frame = decoded(msg.payload, config.encoding)
      let message
      try {
        // Nor are session IDs.
        if (name !== undefined && runtime.hear(frame, name, retain === true)) return done()
        message = runtime.open(frame, name, retain === true)
        failure = undefined
      } catch (error) {
        failure = error
        throw error
      }
      // A session node may have been given the same hello.
      const isSecond = message.verdict === 'duplicate' && runtime.isHello(name ?? '')
      if (isSecond) return done()
      if (message.verdict !== 'fresh') return refuse(msg, send, done, message)
      // A hello or an acknowledgement: the keyring's nodes know of it.
      if (message.data === null) return done()
      accept(msg, send, done, message)
    }

    function accept(msg, send, done, message) {
      counts.fresh++
      last = message
      msg.device = message.device
      msg.espseal = facts(message)
      try {
        msg.payload = reading(message.data, config.output)
      } catch {
        msg.payload = message.text
        throw new Trouble('not_json', kit.text('not-json', { device: message.device }))
      }
      send([msg, null])
      done()
    }

    function refuse(msg, send, done, message) {
      counts.refused++
      last = message
      // What came in the message is a claim.
      delete msg.device
      if (message.device) msg.device = message.device
      msg.espseal = facts(message)
      send([null, msg])
      done()
    }

    function status() {
      if (failure) return bad(failure.code)
      if (!last) return calm(kit.text('status.waiting'))
      const { device, nodeId, verdict } = last
      if (verdict === 'fresh') return good(kit.text('status.fresh', { device, ...counts }))
      // Verified, under the keys of its group: somebody has to list it.
      if (verdict === 'unknown_device' && nodeId)
        return bad(kit.text('status.unknown', { nodeId, ...counts }))
      const look = ORDINARY.has(verdict) ? good : note
      return look(kit.text('status.refused', { verdict, ...counts }))
    }
  }

  RED.nodes.registerType('espseal open', OpenNode)
}

function decoded(payload, encoding) {
  const isText = encoding === 'base64' && typeof payload === 'string'
  return isText ? Buffer.from(payload, 'base64') : payload
}

/** What the receiver says of a frame, without the reading. */
function facts(message) {
  const { verdict, reason, group, nodeId, address, counter, epoch } = message
  const { advanced, sessionBound, replayProtected } = message
  const known = { verdict, reason }
  if (group) Object.assign(known, { group, nodeId })
  // A counter exceeds what a number holds exactly, and JSON has no other.
  if (address) Object.assign(known, { address, counter: String(counter), epoch })
  if (verdict === 'fresh') Object.assign(known, { advanced, sessionBound, replayProtected })
  return known
}
