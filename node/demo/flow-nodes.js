'use strict'

// Node-RED's nodes, as its editor would write them.

const node = (id, properties, [x, y], wires = []) => ({ id, z: 'tab', ...properties, x, y, wires })

const own = (type) => ({ type: `espseal ${type}`, name: '', keyring: 'keyring' })

function keyring(id, name, file) {
  const kept = { state: 'file', stateFile: '', authority: true }
  return { id, type: 'espseal keyring', name, source: 'file', file, devices: [], ...kept }
}

const broker = (id, name, port) => ({
  id,
  type: 'mqtt-broker',
  name,
  broker: '127.0.0.1',
  port: String(port),
  autoConnect: true,
  protocolVersion: '4',
  keepalive: '60',
  cleansession: true,
})

function incoming(id, topic, from, place, to) {
  // A Buffer: frames are bytes. `rap` keeps the flag `retain`.
  const settings = { topic, qos: '1', datatype: 'buffer', nl: false, rap: true, rh: 0, inputs: 0 }
  return node(id, { type: 'mqtt in', name: '', broker: from, ...settings }, place, [to])
}

function outgoing(id, to, place) {
  const settings = { name: '', topic: '', qos: '', retain: '' }
  return node(id, { type: 'mqtt out', broker: to, ...settings }, place)
}

/** A button that sends its own name. */
function button(id, name, place, to) {
  const props = [{ p: 'payload' }]
  const settings = { name, props, payload: name, payloadType: 'str', repeat: '', once: false }
  return node(id, { type: 'inject', ...settings }, place, [to])
}

/** Shows something in the sidebar, and its last value below itself. */
function debug(id, name, what, place, targetType = 'msg') {
  const settings = { active: true, tosidebar: true, console: false, tostatus: true }
  const shown = { complete: what, targetType, statusVal: what, statusType: targetType }
  return node(id, { type: 'debug', name, ...settings, ...shown }, place)
}

/** An output for each value, or pattern; null is everything else. Output 0 goes to `id-0`. */
function choice(id, name, property, values, place) {
  const settings = { property, propertyType: 'msg', checkall: 'false', repair: false }
  const rules = { rules: values.map(rule), outputs: values.length }
  const wires = values.map((_, at) => [`${id}-${at}`])
  return node(id, { type: 'switch', name, ...settings, ...rules }, place, wires)
}

function rule(value) {
  if (value === null) return { t: 'else' }
  if (value instanceof RegExp) return { t: 'regex', v: value.source, vt: 'str', case: false }
  return { t: 'eq', v: value, vt: 'str' }
}

/** A frame around nodes; the editor finds out how large it is. */
function group(name, members) {
  const id = `group-${members[0].id}`
  const style = { label: true, stroke: '#999999', color: '#666666' }
  return [
    { id, type: 'group', z: 'tab', name, style, nodes: members.map((member) => member.id) },
    ...members.map((member) => ({ ...member, g: id })),
  ]
}

module.exports = { broker, button, choice, debug, group, incoming, keyring, node, outgoing, own }
