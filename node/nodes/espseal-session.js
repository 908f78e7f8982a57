'use strict'

const { Kit } = require('./runtime/node')
const { isBytes, textOrBytes } = require('./runtime/payload')
const { bad, calm, good, note } = require('./runtime/status')

module.exports = function (RED) {
  function SessionNode(config) {
    RED.nodes.createNode(this, config)
    const node = this
    let published = 0
    let heard = false
    let failure
    let stop

    const kit = new Kit(RED, this, config.keyring, 'espseal-session')
    const { runtime } = kit
    kit.begin({ status, input, start, close })
    kit.on('publication', ({ topic, payload, qos, retain }) => {
      published++
      failure = undefined
      node.send({ topic, payload: textOrBytes(payload), qos, retain })
    })
    kit.on('session', () => kit.show())
    kit.on('problem', (error) => {
      failure = error
      kit.show()
    })

    function start() {
      stop = runtime?.publish()
    }

    function input(msg, _send, done) {
      const { payload, topic, retain } = msg
      kit.need()
      if (typeof topic === 'string' && isBytes(payload)) {
        if (runtime.hear(payload, topic, retain === true)) heard = true
        else if (runtime.isHello(topic)) runtime.open(payload, topic, retain === true)
      }
      done()
    }

    function close() {
      stop?.()
    }

    function status() {
      if (failure) return bad(failure.code)
      if (runtime.trouble) return bad(runtime.trouble)
      if (!runtime.authority)
        return heard ? good(kit.text('status.follows')) : calm(kit.text('status.listens'))
      if (published === 0) return calm(kit.text('status.starting'))
      const [topic] = runtime.unheard
      if (topic) return calm(kit.text('status.unheard', { topic }))
      const count = runtime.falseSessions
      return count > 0
        ? note(kit.text('status.false', { count }))
        : good(kit.text('status.published'))
    }
  }

  RED.nodes.registerType('espseal session', SessionNode)
}
