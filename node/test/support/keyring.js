'use strict'

const { Device, Keyring, Receiver, Store } = require('../../lib')

const SESSION_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const KEYS = {
  iv_key: 'test-only-iv-key',
  data_key: 'test-only-data-k',
  static_iv: 'test-only-static',
  passphrase: 'test only passphrase',
}

/** To be appended to a keyring: a fleet, `boats`, with one device, `door`. */
const SEALED = [
  '[[fleet]]',
  'name = "boats"',
  `key = { hex = "${'5a'.repeat(32)}" }`,
  '[[device]]',
  'name = "door"',
  'sealed = { fleet = "boats", address = "0011223344556677" }',
].join('\n')

/** A keyring of one group, `house`, with these devices: names and node IDs. */
function keyringText(devices = { kitchen: '1234567' }) {
  const keys = Object.entries(KEYS).map(([name, text]) => `${name} = { text = "${text}" }`)
  const entries = Object.entries(devices).flatMap(([name, nodeId]) => [
    '[[device]]',
    `name = "${name}"`,
    `classic = { group = "house", node_id = "${nodeId}" }`,
  ])
  return [
    'version = 1',
    `session_key = "${SESSION_KEY}"`,
    '[[classic_group]]',
    'name = "house"',
    'topic = "sensors/+"',
    'session_topic = "sensors/session"',
    'command_topic = "sensors/{node_id}/command"',
    'command_session_topic = "sensors/{node_id}/command-session"',
    '[classic_group.keys]',
    ...keys,
    ...entries,
    '',
  ].join('\n')
}

/** A receiver, and a device that has heard its session. */
function pair({ store = Store.memory(), text = keyringText() } = {}) {
  const keyring = Keyring.parse(text)
  const receiver = new Receiver(keyring, store)
  const device = Device.fromKeyring(keyring, 'kitchen')
  const publications = receiver.publications()
  const session = publications.find(({ topic }) => topic === 'sensors/session').payload
  device.hear(session)
  return { keyring, receiver, device, session, publications }
}

/** A receiver and a sealed device say what they have to, until neither has anything more. */
function settle(receiver, device, { up, down } = carrier(receiver, device)) {
  for (let round = 0; round < 10; round++) {
    const fromReceiver = receiver.publications()
    const fromDevice = device.publications()
    if (fromReceiver.length + fromDevice.length === 0) return
    fromReceiver.forEach(down)
    fromDevice.forEach(up)
  }
  throw new Error('they never stop talking')
}

function carrier(receiver, device) {
  return {
    up: ({ topic, payload }) => receiver.open(payload, { topic }),
    down({ topic, payload }) {
      if (topic === device.beaconTopic) device.hear(payload)
      else if (topic === device.downTopic) device.open(payload)
    },
  }
}

module.exports = { KEYS, SEALED, SESSION_KEY, keyringText, pair, settle }
