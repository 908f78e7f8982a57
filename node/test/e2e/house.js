'use strict'

// A house with two devices that run the real firmware: a lamp with the classic frame and a door
// with the sealed one; its keyring, and Node-RED's flow for it.

const { spawn } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { join } = require('node:path')
const { createInterface } = require('node:readline')
const { Keyring, KeyringFile, classic } = require('../../lib')

const ROOT = join(__dirname, '../../..')

const TOPICS = {
  topic: 'house/+',
  sessionTopic: 'house/session',
  commandTopic: 'house/{node_id}/command',
  commandSessionTopic: 'house/{node_id}/command-session',
}

/** Writes the keyring, and answers what the lamp and the door have to be given. */
function makeKeyring(file) {
  const keys = {
    ivKey: randomBytes(16),
    dataKey: randomBytes(16),
    staticIv: randomBytes(16),
    passphrase: randomBytes(32),
  }
  const keyring = KeyringFile.create(file)
  keyring.addGroup('house', { ...TOPICS, keys: new classic.ClassicKeys(keys) })
  keyring.addDevice('lamp', { group: 'house', nodeId: '7' })
  keyring.addFleet('doors', { beaconInterval: 5, beaconLife: 20 })
  keyring.addSealed('door', { fleet: 'doors' })
  return { keys, door: Keyring.load(file).provision('door') }
}

// A command makes a device say what it does; its readings count.
const OBEY = { lua: 'function(data) print("does " .. data) end' }
const COUNT = { lua: 'function() count = (count or 0) + 1 return tostring(count) end' }
const QUICK = {
  interval: 200,
  session_settle: 50,
  reconnect_min: 50,
  reconnect_max: 200,
  sensor: COUNT,
  on_command: OBEY,
}

function boards({ keys, door }, port) {
  const hex = (key) => ({ hex: key.toString('hex') })
  const broker = { mqtt_host: '127.0.0.1', mqtt_port: port }
  const lamp = {
    ...broker,
    ...QUICK,
    node_id: '7',
    topic: 'house/lamp',
    session_topic: TOPICS.sessionTopic,
    command_topic: 'house/7/command',
    command_session_topic: 'house/7/command-session',
    keys: {
      iv_key: hex(keys.ivKey),
      data_key: hex(keys.dataKey),
      static_iv: hex(keys.staticIv),
      passphrase: hex(keys.passphrase),
    },
  }
  const sealed = {
    ...broker,
    ...QUICK,
    address: door.address,
    device_key: door.deviceKey.expose().toString('hex'),
    epoch: door.epoch,
    beacon_topic: door.beaconTopic,
    hello_min: 200,
    hello_max: 1000,
  }
  return [
    { chip_id: 7, startup: 'main.lua', config: lamp },
    { chip_id: 8, startup: 'main_sealed.lua', config: sealed },
  ]
}

/** Switches the devices on; `lines` is what their serial ports print. */
function startDevices(given, port) {
  const python = join(ROOT, '.venv/bin/python')
  const child = spawn(python, [join(__dirname, 'lua_devices.py')], { cwd: ROOT })
  const lines = []
  let errors = ''
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  child.stderr.on('data', (chunk) => (errors += chunk))
  child.stdin.write(JSON.stringify(boards(given, port)) + '\n')
  const ended = new Promise((resolve) => child.once('close', resolve))
  return {
    lines,
    errors: () => errors,
    async stop() {
      child.stdin.end()
      const code = await ended
      if (code !== 0) throw new Error(`the devices ended with ${code}:\n${errors}`)
    },
  }
}

/** The flow: everything that comes out of our nodes is published as JSON below `result`. */
function flow(keyringFile, port) {
  const report = (id, topic) => ({
    id,
    type: 'function',
    z: 'tab',
    func: `const { payload, device, espseal, error, status } = msg
      const text = Buffer.isBuffer(payload) ? payload.toString('latin1') : payload
      const result = { payload: text, device, espseal, error, status, topic: msg.topic }
      return { topic: '${topic}', payload: JSON.stringify(result), qos: 1, retain: false }`,
    outputs: 1,
    wires: [['out']],
  })
  const incoming = (id, topic, wires) => ({
    id,
    type: 'mqtt in',
    z: 'tab',
    topic,
    qos: '1',
    datatype: 'buffer',
    broker: 'broker',
    nl: false,
    rap: true,
    rh: 0,
    wires: [wires],
  })
  const nodes = [
    incoming('house', 'house/#', ['session', 'open']),
    incoming('sealed', 'espseal/#', ['session', 'open']),
    incoming('control', 'control/+', ['route']),
    {
      id: 'route',
      type: 'function',
      func: "return { payload: msg.payload.toString(), device: msg.topic.split('/')[1] }",
      outputs: 1,
      wires: [['seal']],
    },
    { id: 'session', type: 'espseal session', keyring: 'keyring', wires: [['out']] },
    {
      id: 'open',
      type: 'espseal open',
      keyring: 'keyring',
      output: 'text',
      wires: [['fresh'], ['refused']],
    },
    { id: 'seal', type: 'espseal seal', keyring: 'keyring', wait: 30, wires: [['out'], ['ack']] },
    report('fresh', 'result/fresh'),
    report('refused', 'result/refused'),
    report('ack', 'result/ack'),
    { id: 'catches', type: 'catch', scope: null, uncaught: false, wires: [['error']] },
    report('error', 'result/error'),
    { id: 'out', type: 'mqtt out', topic: '', qos: '', retain: '', broker: 'broker', wires: [] },
  ]
  return [
    { id: 'tab', type: 'tab', label: 'house', disabled: false },
    { id: 'keyring', type: 'espseal keyring', source: 'file', file: keyringFile, state: 'file' },
    {
      id: 'broker',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(port),
      autoConnect: true,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    },
    ...nodes.map((node) => ({ x: 100, y: 100, ...node, z: 'tab' })),
  ]
}

module.exports = { flow, makeKeyring, startDevices }
