'use strict'

const { spawn } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { freePort } = require('./mosquitto')
const { PACKAGE, install, pack } = require('./tarball')
const { waitFor } = require('./wait')

const modules = (name) => join(PACKAGE, 'node_modules', name)

/** The real runtimes: each Node-RED on the Node that it is for. */
const RUNTIMES = [
  { name: 'Node-RED 4.1 on Node 20', node: process.execPath, red: modules('node-red/red.js') },
  {
    name: 'Node-RED 5 on Node 24',
    node: modules('node/bin/node'),
    red: modules('node-red-5/red.js'),
  },
]

/** A Node-RED with a user directory of its own, into which the packed package is installed. */
class NodeRed {
  #runtime
  #child
  #ended

  constructor(runtime) {
    this.#runtime = runtime
    this.folder = mkdtempSync(join(tmpdir(), 'espseal-red-'))
    this.log = ''
  }

  /** Once, before `start`. */
  async install() {
    this.port = await freePort()
    this.url = `http://127.0.0.1:${this.port}`
    writeFileSync(join(this.folder, 'package.json'), '{"name":"user","version":"0.0.1"}\n')
    install(pack().file, this.folder)
    const settings = {
      uiHost: '127.0.0.1',
      uiPort: this.port,
      flowFile: 'flows.json',
      credentialSecret: 'a secret of this test',
      editorTheme: { tours: false },
      telemetry: { enabled: false, updateNotification: false },
      logging: { console: { level: 'info', metrics: false, audit: false } },
    }
    const text = `module.exports = ${JSON.stringify(settings, null, 2)}\n`
    writeFileSync(join(this.folder, 'settings.js'), text)
  }

  async start(env = {}) {
    const { node, red } = this.#runtime
    const flags = ['--userDir', this.folder, '--settings', join(this.folder, 'settings.js')]
    this.#child = spawn(node, [red, ...flags], {
      cwd: this.folder,
      env: { ...process.env, ...env, NO_UPDATE_NOTIFIER: '1' },
    })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk) => (this.log += chunk))
    }
    let isRunning = true
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.#ended.then(() => (isRunning = false))
    await waitFor(
      async () => {
        if (!isRunning) throw new Error(`Node-RED ended:\n${this.log}`)
        return (await this.get('/settings').catch(() => null)) !== null
      },
      () => `Node-RED:\n${this.log}`,
    )
    // Before, `POST /flows` would be overtaken by the flows of the file.
    await waitFor(() => /Started flows|Waiting for missing/.test(this.log), 'the flows')
  }

  async get(path) {
    const response = await fetch(this.url + path, { headers: { accept: 'application/json' } })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }

  /** Deploys a flow; a node may carry its `credentials`. */
  async deploy(flows) {
    const started = this.log.split('Started flows').length
    const response = await fetch(`${this.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-API-Version': 'v2' },
      body: JSON.stringify({ flows }),
    })
    if (!response.ok) throw new Error(`deploy: ${response.status} ${await response.text()}`)
    await waitFor(() => this.log.split('Started flows').length > started, 'the new flows')
  }

  /** Ends it as a service manager would; what it knows stays in its folder. */
  async stop() {
    this.#child?.kill('SIGTERM')
    await this.#ended
  }

  async remove() {
    await this.stop()
    rmSync(this.folder, { recursive: true })
  }
}

module.exports = { NodeRed, RUNTIMES }
