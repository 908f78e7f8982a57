'use strict'

const { spawn } = require('node:child_process')
const { join } = require('node:path')
const { Child } = require('./child')

const ROOT = join(__dirname, '../..')
const SCRIPT = join(ROOT, 'node/test/e2e/lua_devices.py')

/** Switches on boards that run the real firmware, in the simulator. */
function startDevices(boards) {
  // Beyond the reach of the terminal's Ctrl-C: they are stopped in their turn.
  const options = { cwd: ROOT, detached: true, stdio: ['pipe', 'ignore', 'pipe'] }
  const python = spawn(join(ROOT, '.venv/bin/python'), [SCRIPT], options)
  // The script ends with its standard input, also if this process is killed.
  const child = new Child('the simulated devices', python, () => python.stdin.end())
  python.stdin.on('error', () => {})
  python.stdin.write(JSON.stringify(boards) + '\n')
  return child
}

module.exports = { startDevices }
