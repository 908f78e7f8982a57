'use strict'

// Node-RED's own test helper, with our nodes and what the tests of all of them need.

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { events } = require('@node-red/util')

// When it is loaded, the helper looks for Node-RED from here.
process.chdir(join(__dirname, '../..'))

const helper = require('node-red-node-test-helper')
const { KEYS, SESSION_KEY } = require('../support/keyring')
const { waitFor } = require('../support/wait')

const NODES = ['keyring', 'open', 'seal', 'session', 'device'].map((name) =>
  require(`../../nodes/espseal-${name}`),
)
const CATCH = require('@node-red/nodes/core/common/25-catch')

helper.init(require.resolve('node-red'))

const shown = []
events.on('node-status', (each) => shown.push(each))

const SECRETS = {
  ivKey: KEYS.iv_key,
  dataKey: KEYS.data_key,
  staticIv: KEYS.static_iv,
  passphrase: KEYS.passphrase,
  sessionKey: SESSION_KEY,
}

/** The same keyring as `keyringText` of the library's tests. */
const TYPED = {
  id: 'keyring',
  type: 'espseal keyring',
  source: 'typed',
  keyFormat: 'text',
  group: 'house',
  topic: 'sensors/+',
  sessionTopic: 'sensors/session',
  commandTopic: 'sensors/{node_id}/command',
  commandSessionTopic: 'sensors/{node_id}/command-session',
  devices: [{ name: 'kitchen', nodeId: '1234567' }],
  state: 'memory',
}

/** What a node was given: helper nodes that remember. */
class Probe {
  constructor(id) {
    this.messages = []
    helper.getNode(id).on('input', (msg) => this.messages.push(msg))
  }

  async next(what = 'a message') {
    return await waitFor(() => this.messages.shift(), what)
  }
}

/** Loads a flow: ours, `helper` nodes as probes, and a Catch node. */
async function load(flow, credentials = { keyring: SECRETS }) {
  shown.length = 0
  const tab = { id: 'tab', type: 'tab', label: 'test' }
  const nodes = flow.map((node) =>
    node.type.startsWith('espseal keyring') ? node : { z: 'tab', x: 1, y: 1, ...node },
  )
  const caught = {
    id: 'catches',
    type: 'catch',
    z: 'tab',
    x: 1,
    y: 1,
    scope: null,
    wires: [['caught']],
  }
  const probe = { id: 'caught', type: 'helper', z: 'tab', x: 1, y: 1 }
  await helper.load([...NODES, CATCH], [tab, ...nodes, caught, probe], credentials)
  return Object.fromEntries(
    [...nodes, probe].filter(({ type }) => type === 'helper').map(({ id }) => [id, new Probe(id)]),
  )
}

/** Gives a node a message, as a wire would. */
function give(id, msg) {
  helper.getNode(id).receive(msg)
}

/** What a node has shown, in its order. */
function statuses(id) {
  return shown.filter((each) => each.id === id).map(({ status }) => status)
}

/** Waits until a node's status is of this colour and text: there is no catalogue, so it is a key. */
async function status(id, fill, text) {
  const last = () => statuses(id).at(-1)
  await waitFor(
    () => last()?.fill === fill && last().text.includes(text),
    () => `the status ${fill} ${text} of ${id}, which is ${JSON.stringify(last())}`,
  )
}

function temporaryFolder(after) {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-nodes-'))
  after(() => rmSync(folder, { recursive: true }))
  return folder
}

const start = () => new Promise((resolve) => helper.startServer(resolve))
const stop = () => new Promise((resolve) => helper.stopServer(resolve))
const unload = () => helper.unload()

module.exports = {
  SECRETS,
  TYPED,
  give,
  helper,
  load,
  start,
  status,
  statuses,
  stop,
  temporaryFolder,
  unload,
}
