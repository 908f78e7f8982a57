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
    {
      id: 'keyring',
      type: 'espseal keyring',
      name: 'the house',
      source: 'file',
      file: keyringFile,
    },
    nodes.broker('broker', 'the broker', brokerPort),
    nodes.broker('outsider', 'the broker, for somebody else', brokerPort),
    ...nodes.group(
      'Readings, sealed by the devices and opened here',
      readings(),
      [34, 39, 892, 322],
    ),
    ...nodes.group('Commands', commands(), [34, 379, 892, 142]),
    ...nodes.group('Somebody at the broker, without a key', attacks(), [34, 539, 892, 202]),
  ]
}

function readings() {
  const { choice, debug, incoming, node, outgoing, own, template } = nodes
  const devices = ['kitchen', 'greenhouse', 'lamp']
  return [
    incoming('house', 'house/#', 'broker', [120, 100], ['open', 'session']),
    incoming('sealed', 'espseal/#', 'broker', [120, 180], ['open', 'session']),
    node('session', own('session'), [310, 100], [['out']]),
    outgoing('out', 'broker', [500, 100]),
    node('open', { ...own('open'), output: 'text' }, [310, 200], [['device'], ['verdict']]),
    choice('device', 'which device?', 'device', devices, [510, 180]),
    ...devices.map((name, at) => debug(`device-${at}`, name, 'payload', [750, 80 + 60 * at])),
    // A broker may deliver twice: a copy alone is no attack.
    choice('verdict', 'which verdict?', 'espseal.verdict', ['duplicate', null], [510, 260]),
    debug('verdict-0', 'a copy, refused', 'espseal.verdict', [760, 260]),
    template('verdict-1', 'alarm', ALARM, [490, 320], ['alarm']),
    debug('alarm', 'alarm', 'payload', [730, 320]),
  ]
}

const ALARM = 'Somebody tampers on {{{topic}}}: {{espseal.verdict}} - {{{espseal.reason}}}'

function commands() {
  const { button, debug, node, outgoing, own } = nodes
  return [
    button('on', 'on', [110, 420], ['seal']),
    button('off', 'off', [110, 480], ['seal']),
    node(
      'seal',
      { ...own('seal'), device: 'lamp', wait: '30' },
      [310, 440],
      [['to-lamp'], ['ack']],
    ),
    outgoing('to-lamp', 'broker', [500, 420]),
    debug('ack', 'the lamp has obeyed', 'payload', [770, 420]),
    node('catch', { type: 'catch', scope: ['seal'], uncaught: false }, [500, 480], [['error']]),
    debug('error', 'not sent', 'error.message', [740, 480]),
  ]
}

function attacks() {
  const { button, incoming, node, outgoing } = nodes
  const buttons = ['repeat a reading', 'change a reading', 'make one up', 'repeat an old command']
  return [
    incoming('seen', 'espseal/#', 'outsider', [500, 580], ['attacker']),
    ...buttons.map((name, at) => button(`attack-${at}`, name, [160, 580 + 40 * at], ['attacker'])),
    node('attacker', ATTACKER, [510, 640], [['planted']]),
    outgoing('planted', 'outsider', [730, 640]),
  ]
}

module.exports = { makeFlow }
