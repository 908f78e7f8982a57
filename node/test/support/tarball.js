'use strict'

const { execFileSync } = require('node:child_process')
const { join } = require('node:path')

const PACKAGE = join(__dirname, '../..')

/** Packs the package as npm would publish it; returns the file and what is in it. */
function pack(folder) {
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
