'use strict'

// What Node-RED runs: the house's readings, a command, and somebody at the broker who tampers.

const { ATTACKER } = require('./attacker')
const nodes = require('./flow-nodes')

const INFO = `Three devices run their real firmware, simulated: a thermometer in the kitchen with the
classic frame, a thermometer in the greenhouse and a lamp with the sealed frame. Everything goes
through the broker.`

/** The flow, for a broker on this port, and `keyring.toml` in the user directory. */
function makeFlow(brokerPort) {
  return [
    { id: 'tab', type: 'tab', label: 'A house', disabled: false, info: INFO },
    nodes.keyring('keyring', 'the house', 'keyring.toml'),
    nodes.broker('broker', 'the broker', brokerPort),
    nodes.broker('outsider', 'the broker, for somebody else', brokerPort),
    ...nodes.group('Readings, sealed by the devices and opened here', readings()),
    ...nodes.group('Commands', commands()),
    ...nodes.group('Somebody at the broker, who has no key', attacks()),
  ]
}

function readings() {
  const { choice, debug, incoming, node, outgoing, own } = nodes
  const devices = ['kitchen', 'greenhouse', 'lamp']
  return [
    incoming('house', 'house/+', 'broker', [130, 100], ['open', 'session']),
    incoming('up', 'espseal/+/up', 'broker', [150, 160], ['open']),
    node(
      'open',
      { ...own('open'), output: 'text', encoding: 'auto' },
      [360, 140],
      [['device'], ['verdict']],
    ),
    choice('device', 'which device?', 'device', devices, [560, 120]),
    ...devices.map((name, at) => debug(`device-${at}`, name, 'payload', [780, 80 + 60 * at])),
    choice('verdict', 'which verdict?', 'espseal.verdict', [ORDINARY, null], [560, 240]),
    debug('verdict-0', 'refused', 'espseal.verdict', [780, 260]),
    debug('verdict-1', 'alarm', ALARM, [780, 320], 'jsonata'),
    incoming('hello', 'espseal/+/hello', 'broker', [150, 260], ['session']),
    incoming('beacon', 'espseal/+/beacon', 'broker', [150, 320], ['session']),
    node('session', own('session'), [360, 300], [['out']]),
    outgoing('out', 'broker', [530, 320]),
  ]
}

// A broker may deliver twice, and after a restart some frames are of a session that is over.
const ORDINARY = /^(duplicate|stale_session)$/
const ALARM = '"Somebody tampers: " & espseal.verdict & " on " & topic & " - " & espseal.reason'

function commands() {
  const { button, debug, node, outgoing, own } = nodes
  return [
    button('on', 'on', [140, 410], ['seal']),
    button('off', 'off', [140, 470], ['seal']),
    node(
      'seal',
      { ...own('seal'), device: 'lamp', wait: '30' },
      [360, 430],
      [['to-lamp'], ['ack']],
    ),
    outgoing('to-lamp', 'broker', [530, 410]),
    debug('ack', 'obeyed', 'payload', [560, 470]),
    node('catch', { type: 'catch', scope: ['seal'], uncaught: false }, [670, 410], [['error']]),
    debug('error', 'not sent', 'error.message', [820, 410]),
  ]
}

function attacks() {
  const { button, incoming, node, outgoing } = nodes
  const buttons = ['repeat a reading', 'change a reading', 'make one up', 'repeat an old command']
  const centres = [190, 190, 180, 220]
  return [
    ...buttons.map((name, at) =>
      button(`attack-${at}`, name, [centres[at], 560 + 40 * at], ['attacker']),
    ),
    incoming('seen', 'espseal/#', 'outsider', [440, 700], ['attacker']),
    node('attacker', ATTACKER, [600, 620], [['planted']]),
    outgoing('planted', 'outsider', [790, 620]),
  ]
}

module.exports = { makeFlow }
