'use strict'

const { bytes } = require('./bytes')

/** Frames end to end, and where each ends. */
function pack(frames) {
  const ends = new Uint32Array(frames.length)
  const parts = new Array(frames.length)
  let length = 0
  for (let at = 0; at < frames.length; at++) {
    const part = bytes(frames[at], 'a frame')
    parts[at] = part
    length += part.length
    ends[at] = length
  }
  const packed = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < parts.length; at++) {
    packed.set(parts[at], at === 0 ? 0 : ends[at - 1])
  }
  return { packed, ends }
}

/** Memory for what becomes of `count` frames of `length` bytes in all. */
function allocate(count, length) {
  const words = 4 * (2 * count + 1)
  const memory = new ArrayBuffer(words + count)
  return {
    memory: Buffer.from(memory),
    devices: new Int32Array(memory, 0, count),
    offsets: new Uint32Array(memory, 4 * count, count + 1),
    verdicts: new Uint8Array(memory, words, count),
    // No plaintext is longer than its frame.
    data: Buffer.allocUnsafeSlow(length),
  }
}

/** The columns of the first `count` frames. */
function columns({ verdicts, devices, offsets, data }, count) {
  return {
    verdicts: verdicts.subarray(0, count),
    devices: devices.subarray(0, count),
    data: data.subarray(0, offsets[count]),
    offsets: offsets.subarray(0, count + 1),
  }
}

module.exports = { allocate, columns, pack }
