'use strict'

/** A function node: it records what travels, and plants what its buttons say. */
const ATTACKER = {
  type: 'function',
  name: 'the attacker',
  outputs: 1,
  timeout: 0,
  noerr: 0,
  initialize: '',
  finalize: '',
  libs: [],
  func: `// Anybody at the broker sees this much: topics, sizes, and the header of a frame.
const readings = context.get('readings') ?? []
const commands = context.get('commands') ?? []

if (msg.topic) {
    const isData = msg.payload.length > 36 && (msg.payload[1] & 0x0c) === 0
    const isPlanted = [...readings, ...commands, context.get('planted')].some(
        (known) => known && known.payload.equals(msg.payload),
    )
    if (!isData || isPlanted) return null
    if (msg.topic.endsWith('/up')) context.set('readings', [msg])
    if (msg.topic.endsWith('/down')) context.set('commands', [...commands, msg].slice(-2))
    return null
}

const [reading] = readings
const [command] = commands
switch (msg.payload) {
    case 'repeat a reading':
        return plant(reading)
    case 'change a reading':
        return plant(reading, (bytes) => (bytes[bytes.length - 1] ^= 1))
    case 'repeat an old command':
        return plant(command)
    default:
        return plant({ topic: 'house/kitchen', payload: Buffer.from('99.9') })
}

function plant(recorded, change = () => {}) {
    if (!recorded) {
        node.warn('The attacker has seen none yet: try again in a few seconds.')
        return null
    }
    const payload = Buffer.from(recorded.payload)
    change(payload)
    context.set('planted', { payload })
    return { topic: recorded.topic, payload, qos: 1, retain: false }
}
`,
}

module.exports = { ATTACKER }
