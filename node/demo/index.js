'use strict'

// `make demo-node-red`: a broker, three simulated devices that run the real firmware, and Node-RED
// with a flow for them, until Ctrl-C.

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { startBroker } = require('./broker')
const { startDevices } = require('./devices')
const { makeFlow } = require('./flow')
const { furnish } = require('./house')
const { startNodeRed, untilUp } = require('./node-red')
const { portNear } = require('./ports')

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const EDITOR_PORT = 1880
const BROKER_PORT = 1883

async function main() {
  const stopping = new AbortController()
  // A second Ctrl-C does not wait for anybody.
  const hurry = new AbortController()
  const stop = () => (stopping.signal.aborted ? hurry : stopping).abort()
  for (const signal of SIGNALS) process.on(signal, stop)
  process.stdout.on('error', stop)

  const started = []
  try {
    const children = await start(started, stopping.signal)
    await Promise.race([aborted(stopping.signal), ...children.map(({ broke }) => broke)])
  } catch (error) {
    if (!stopping.signal.aborted) throw error
  } finally {
    say('\nStopping …')
    for (const thing of started.reverse()) await thing.stop(hurry.signal)
    say('Stopped: no process and no file is left.')
  }
}

/** Starts everything; what has to be stopped is put into `started`, in its order. */
async function start(started, signal) {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-demo-'))
  started.push({ stop: () => rmSync(folder, { recursive: true }) })

  const brokerPort = await portNear(BROKER_PORT)
  started.push(await startBroker(brokerPort))
  const boards = furnish(join(folder, 'keyring.toml'), brokerPort)
  signal.throwIfAborted()

  say('Starting Node-RED …')
  const port = await portNear(EDITOR_PORT)
  const flow = makeFlow(brokerPort)
  const red = startNodeRed({ folder, port, flow })
  started.push(red)
  await untilUp(red, `http://127.0.0.1:${port}/`, signal)

  const devices = startDevices(boards)
  started.push(devices)
  say(welcome({ port, brokerPort, folder }))
  return [red, devices]
}

function welcome({ port, brokerPort, folder }) {
  return `
Open this in a browser:

    http://127.0.0.1:${port}${instead(port, EDITOR_PORT)}

There you see three devices that run their real firmware, simulated, and a flow for them.

  Readings  The kitchen has a classic thermometer, the greenhouse a sealed one, and the lamp says
            whether it is on. Their values are below the green nodes, and in the debug sidebar
            (the beetle at the upper right).
  Commands  Press the button at the left of "on". The lamp obeys, and acknowledges it.
  Attacks   Press the buttons of somebody at the broker, who has no key. Nothing gets through;
            what was changed or made up raises an alarm. An old command does nothing: the lamp
            stays as it is.
  Devices   Double-click a node "open", then the pencil beside its keyring: at the bottom are the
            devices, and when each was heard last.

The broker is mqtt://127.0.0.1:${brokerPort}${instead(brokerPort, BROKER_PORT)}. Node-RED's files are in ${folder}
until the end. Ctrl-C stops everything.`
}

function instead(port, usual) {
  return port === usual ? '' : `  (${usual} is taken)`
}

function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', resolve, { once: true })
  })
}

function say(text) {
  process.stdout.write(`${text}\n`)
}

main().catch((error) => {
  console.error(`\nThe demo has failed: ${error.message}`)
  process.exitCode = 1
})
