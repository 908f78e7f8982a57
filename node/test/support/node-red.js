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

  /** Once, before `start`; `more` settings. */
  async install(more = {}) {
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
      ...more,
    }
    const text = `module.exports = ${JSON.stringify(settings, null, 2)}\n`
    writeFileSync(join(this.folder, 'settings.js'), text)
  }

  async start(env = {}) {
    const from = this.log.length
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
    const said = (pattern) => pattern.test(this.log.slice(from))
    await waitFor(
      () => {
        if (!isRunning) throw new Error(`Node-RED ended:\n${this.log}`)
        // Before its flows have started, `POST /flows` would be overtaken by those of the file.
        return said(/Server now running/) && said(/Started flows|Waiting for missing/)
      },
      () => `Node-RED:\n${this.log}`,
    )
  }

  async get(path) {
    const response = await fetch(this.url + path, { headers: { accept: 'application/json' } })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return await response.json()
  }

  /** Deploys a flow; a node may carry its `credentials`. `more` headers say who deploys it. */
  async deploy(flows, more = {}) {
    const started = this.log.split('Started flows').length
    const response = await fetch(`${this.url}/flows`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-API-Version': 'v2', ...more },
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
