'use strict'

const { Device, Keyring, Receiver, Store } = require('../../lib')

const SESSION_KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const KEYS = {
  iv_key: 'test-only-iv-key',
  data_key: 'test-only-data-k',
  static_iv: 'test-only-static',
  passphrase: 'test only passphrase',
}

/** A keyring of one group, `house`, with these devices: names and node IDs. */
function keyringText(devices = { kitchen: '1234567' }, more = '') {
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
    more,
    '[classic_group.keys]',
    ...keys,
    ...entries,
    '',
  ].join('\n')
}

/** A receiver, and a device that has heard its session. */
function pair({ store = Store.memory(), more = '' } = {}) {
  const keyring = Keyring.parse(keyringText(undefined, more))
  const receiver = new Receiver(keyring, store)
  const device = Device.fromKeyring(keyring, 'kitchen')
  const [{ payload: session }] = receiver.publications()
  device.hear(session)
  return { keyring, receiver, device, session }
}

module.exports = { KEYS, SESSION_KEY, keyringText, pair }
