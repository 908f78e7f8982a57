'use strict'

const { spawn } = require('node:child_process')
const { randomBytes } = require('node:crypto')
const { mkdirSync, symlinkSync, writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { setTimeout: sleep } = require('node:timers/promises')
const { Child } = require('./child')

const PACKAGE = join(__dirname, '..')

/** A Node-RED with a user directory of its own, in which this package is installed. */
function startNodeRed({ folder, port, flow }) {
  install(folder)
  writeFileSync(join(folder, 'flows.json'), JSON.stringify(flow, null, 2))
  writeFileSync(join(folder, 'settings.js'), settings(port))
  const flags = ['--userDir', folder, '--settings', join(folder, 'settings.js')]
  const program = [join(PACKAGE, 'node_modules/node-red/red.js'), ...flags]
  const red = spawn(process.execPath, ['--require', join(__dirname, 'follow.js'), ...program], {
    cwd: folder,
    // Beyond the reach of the terminal's Ctrl-C: it is stopped in its turn.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return new Child('Node-RED', red, () => red.kill('SIGTERM'))
}

/** Waits until the editor answers and the flow runs. */
async function untilUp(child, url, signal) {
  const isStarted = () => child.said.includes('Started flows')
  const answers = () =>
    fetch(url, { signal }).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!isStarted() || !(await answers())) {
    await Promise.race([sleep(50, null, { signal }), child.broke])
  }
}

function install(folder) {
  const scope = join(folder, 'node_modules/@espseal')
  mkdirSync(scope, { recursive: true })
  symlinkSync(PACKAGE, join(scope, 'node-red-espseal'), 'dir')
  const dependencies = { '@espseal/node-red-espseal': '*' }
  const text = JSON.stringify({ name: 'espseal-demo', version: '0.0.1', dependencies })
  writeFileSync(join(folder, 'package.json'), text)
}

function settings(uiPort) {
  return `module.exports = ${JSON.stringify({
    // There is no password.
    uiHost: '127.0.0.1',
    uiPort,
    flowFile: 'flows.json',
    credentialSecret: randomBytes(16).toString('hex'),
    editorTheme: { tours: false, page: { title: 'espseal demo' } },
    telemetry: { enabled: false, updateNotification: false },
    logging: { console: { level: 'info', metrics: false, audit: false } },
  })}\n`
}

module.exports = { startNodeRed, untilUp }
