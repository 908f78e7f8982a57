'use strict'

/** What `mqtt in` may make of a frame: bytes, text, or either in JSON. */
function isBytes(payload) {
  return (
    typeof payload === 'string' ||
    payload instanceof Uint8Array ||
    (payload?.type === 'Buffer' && Array.isArray(payload.data))
  )
}

/** What a person puts into a command, as bytes: text as it is, everything else as JSON. */
function commandBytes(payload) {
  if (isBytes(payload)) return payload
  if (payload === undefined) return ''
  return JSON.stringify(payload)
}

/** A reading as the node was told to give it. */
function reading(data, format) {
  switch (format) {
    case 'text':
      return data.toString('utf8')
    case 'json':
      return JSON.parse(data.toString('utf8'))
    default:
      return data
  }
}

/** Session IDs and hex frames as text, to be seen in the sidebar; other frames as they are. */
function textOrBytes(payload) {
  const isText = payload.every((byte) => byte >= 0x20 && byte < 0x7f)
  return isText ? payload.toString('latin1') : payload
}

module.exports = { commandBytes, isBytes, reading, textOrBytes }
