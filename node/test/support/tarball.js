'use strict'

const { execFileSync } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')

const PACKAGE = join(__dirname, '../..')

let packed

/** Packs the package as npm would publish it, once; returns the file and what is in it. */
function pack() {
  packed ??= packInto(mkdtempSync(join(tmpdir(), 'espseal-tarball-')))
  return packed
}

function packInto(folder) {
  process.once('exit', () => rmSync(folder, { recursive: true }))
  const options = { cwd: PACKAGE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
  const arguments_ = ['pack', '--json', '--pack-destination', folder]
  const answer = JSON.parse(execFileSync('npm', arguments_, options))
  const [{ filename, files }] = Array.isArray(answer) ? answer : Object.values(answer)
  return { file: join(folder, filename), files: files.map(({ path }) => path) }
}

/** Installs it as Node-RED's palette would. */
function install(tarball, folder) {
  const flags = ['--omit=dev', '--engine-strict', '--ignore-scripts', '--no-audit', '--no-fund']
  const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }
  return execFileSync('npm', ['install', ...flags, tarball], options)
}

module.exports = { PACKAGE, install, pack }
