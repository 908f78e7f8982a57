'use strict'

/** A frame and what the receiver says of it. */
class Message {
  #done

  /** Made by receivers and devices only. */
  constructor(
    verdict,
    device,
    nodeId,
    group,
    data,
    kind,
    address,
    counter,
    epoch,
    advanced,
    sessionBound,
    topic,
    retained,
    replayProtected,
    mode,
    acknowledged,
    reason,
  ) {
    this.verdict = verdict
    this.device = device
    this.nodeId = nodeId
    this.group = group
    this.data = data
    this.kind = kind
    this.address = address
    this.counter = counter
    this.epoch = epoch
    this.advanced = advanced
    this.sessionBound = sessionBound
    this.topic = topic
    this.retained = retained
    this.replayProtected = replayProtected
    this.mode = mode
    this.acknowledged = acknowledged
    this.reason = reason
  }

  /** `done` tells the receiver that the reading is stored. */
  static fromNative(native, topic, retained, done) {
    const message = new Message(
      native.verdict,
      native.device ?? null,
      native.nodeId ?? null,
      native.group ?? null,
      native.data ?? null,
      native.kind,
      native.address ?? null,
      native.counter ?? null,
      native.epoch ?? null,
      native.advanced,
      native.sessionBound,
      topic ?? null,
      retained,
      native.replayProtected,
      native.mode ?? null,
      native.acknowledged ?? null,
      native.reason,
    )
    if (done !== undefined) message.#done = done
    return message
  }

  done() {
    this.#done?.()
  }

  get text() {
    return this.data === null ? null : this.data.toString('utf8')
  }

  /** Says how long the data is, never what. */
  [Symbol.for('nodejs.util.inspect.custom')]() {
    const words = [`verdict: ${JSON.stringify(this.verdict)}`]
    if (this.device !== null) words.push(`device: ${JSON.stringify(this.device)}`)
    if (this.topic !== null) words.push(`topic: ${JSON.stringify(this.topic)}`)
    if (this.data !== null) words.push(`data: <${this.data.length} bytes>`)
    return `Message { ${words.join(', ')} }`
  }
}

module.exports = { Message }
