'use strict'

// What Node-RED runs: the house's readings, a command, and somebody at the broker who tampers.

const { ATTACKER } = require('./attacker')
const nodes = require('./flow-nodes')

const INFO = `Three devices run their real firmware, simulated: a thermometer in the kitchen with the
classic frame, a thermometer in the greenhouse and a lamp with the sealed frame. Everything goes
through the broker.`

/** The flow, for a keyring file and a broker on this port. */
function makeFlow(keyringFile, brokerPort) {
  return [
    { id: 'tab', type: 'tab', label: 'A house', disabled: false, info: INFO },
    nodes.keyring('keyring', 'the house', keyringFile),
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
    node('open', { ...own('open'), output: 'text' }, [360, 140], [['device'], ['verdict']]),
    choice('device', 'which device?', 'device', devices, [560, 120]),
    ...devices.map((name, at) => debug(`device-${at}`, name, 'payload', [780, 80 + 60 * at])),
    // A broker may deliver twice: a copy alone is no attack.
    choice('verdict', 'which verdict?', 'espseal.verdict', ['duplicate', null], [560, 240]),
    debug('verdict-0', 'refused', 'espseal.verdict', [780, 260]),
    debug('verdict-1', 'alarm', ALARM, [780, 320], 'jsonata'),
    incoming('hello', 'espseal/+/hello', 'broker', [150, 260], ['session']),
    incoming('beacon', 'espseal/+/beacon', 'broker', [150, 320], ['session']),
    node('session', own('session'), [360, 300], [['out']]),
    outgoing('out', 'broker', [530, 320]),
  ]
}

const ALARM = '"Somebody tampers: " & espseal.verdict & " on " & topic & " - " & espseal.reason'

function commands() {
  const { button, debug, node, outgoing, own } = nodes
  return [
    button('on', 'on', [140, 420], ['seal']),
    button('off', 'off', [140, 480], ['seal']),
    node(
      'seal',
      { ...own('seal'), device: 'lamp', wait: '30' },
      [360, 440],
      [['to-lamp'], ['ack']],
    ),
    outgoing('to-lamp', 'broker', [530, 420]),
    debug('ack', 'obeyed', 'payload', [560, 480]),
    node('catch', { type: 'catch', scope: ['seal'], uncaught: false }, [670, 420], [['error']]),
    debug('error', 'not sent', 'error.message', [820, 420]),
  ]
}

function attacks() {
  const { button, incoming, node, outgoing } = nodes
  const buttons = ['repeat a reading', 'change a reading', 'make one up', 'repeat an old command']
  const centres = [190, 190, 180, 220]
  return [
    ...buttons.map((name, at) =>
      button(`attack-${at}`, name, [centres[at], 580 + 40 * at], ['attacker']),
    ),
    incoming('seen', 'espseal/#', 'outsider', [440, 720], ['attacker']),
    node('attacker', ATTACKER, [600, 640], [['planted']]),
    outgoing('planted', 'outsider', [790, 640]),
  ]
}

module.exports = { makeFlow }
