'use strict'

const { spawn } = require('node:child_process')
const { mkdtempSync, rmSync, writeFileSync } = require('node:fs')
const { createServer, connect } = require('node:net')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { waitFor } = require('./wait')

/** A Mosquitto on a free port of localhost; `stop` leaves nothing behind. */
async function startMosquitto() {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-broker-'))
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  // Started by root it would become the user mosquitto, who cannot read the folder.
  const settings = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'user root']
  writeFileSync(file, settings.join('\n') + '\n')
  const path = `${process.env.PATH}:/usr/sbin`
  const child = spawn('mosquitto', ['-c', file], { env: { PATH: path }, stdio: 'ignore' })
  let failure
  child.once('error', (error) => (failure = error))
  const ended = new Promise((resolve) => child.once('close', resolve))
  await waitFor(() => {
    if (failure) throw new Error(`mosquitto is missing: ${failure.message}`)
    return accepts(port)
  }, 'Mosquitto')
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (yes) => {
      socket.destroy()
      resolve(yes)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
  })
}

module.exports = { freePort, startMosquitto }
