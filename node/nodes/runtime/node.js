'use strict'

const { Status, bad, calm } = require('./status')
const { Trouble } = require('./trouble')

/** What every node of ours does alike: it keeps its status, and lets no exception out. */
class Kit {
  #RED
  #node
  #texts
  #undo = []
  #shown

  /**
   * @param RED Node-RED
   * @param node a node of Node-RED's
   * @param keyring the ID of its keyring node
   * @param texts where its texts stand in the catalogue
   */
  constructor(RED, node, keyring, texts) {
    this.#RED = RED
    this.#node = node
    this.#texts = texts
    /** The keyring's; undefined without one. */
    this.runtime = RED.nodes.getNode(keyring)?.runtime
  }

  /**
   * @param handlers.status answers what to show, once there is a keyring that can be used
   * @param handlers.input does the work for one message, or throws
   * @param handlers.start is called when every node of the flow is there, and messages arrive
   * @param handlers.close ends what it began
   */
  begin({ status, input, start, close }) {
    this.#shown = new Status(
      this.#node,
      this.#safely(() => this.#common() ?? status()),
    )
    this.#node.on('input', (msg, send, done) => {
      try {
        input(msg, send, done)
      } catch (error) {
        done(error)
      }
      this.show()
    })
    this.#node.on('close', (done) => {
      for (const each of this.#undo) each()
      this.#safely(() => close?.())()
      this.#shown.close()
      done()
    })
    this.on('change', () => this.show())
    if (start) this.#listen(this.#RED.events, 'flows:started', once(start))
    this.show()
  }

  /** Listens to the keyring until the node is closed. */
  on(event, listener) {
    if (this.runtime) this.#listen(this.runtime, event, listener)
  }

  /** Something has changed that the status shows. */
  show() {
    this.#shown.update()
  }

  /** A text of the catalogue. */
  text(key, values) {
    return this.#RED._(`${this.#texts}.${key}`, values)
  }

  /** The keyring's runtime, or what to tell who sends a message where there is none. */
  need() {
    if (!this.runtime) {
      throw new Trouble('no_keyring', 'this node names no keyring: choose one in it')
    }
    return this.runtime
  }

  #common() {
    if (!this.runtime) return calm(this.text('status.no-keyring'))
    if (this.runtime.state === 'broken') return bad(this.text('status.broken'))
    if (this.runtime.state === 'absent') return calm(this.text('status.no-file'))
    if (this.runtime.state === 'empty') return calm(this.text('status.no-keys'))
    return null
  }

  #listen(emitter, event, listener) {
    const guarded = this.#safely(listener)
    emitter.on(event, guarded)
    this.#undo.push(() => emitter.off(event, guarded))
  }

  #safely(work) {
    return (...given) => {
      try {
        return work(...given)
      } catch (error) {
        this.#node.error(error.message)
        return undefined
      }
    }
  }
}

/** The event comes at every deployment, also when this node was left alone. */
function once(work) {
  let done = false
  return () => {
    if (!done) work()
    done = true
  }
}

module.exports = { Kit }
