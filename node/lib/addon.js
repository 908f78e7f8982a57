'use strict'

const { readdirSync } = require('node:fs')
const { join } = require('node:path')

const FOLDER = join(__dirname, '../native')

/** The addon's exports. What napi-rs says where there is none speaks of a bug in npm: not ours. */
function loadAddon() {
  try {
    return require('../native')
  } catch (error) {
    throw new Error(whyNot(error), { cause: error })
  }
}

/** Of all that was tried, the one that was there and did not load; else what there is. */
function whyNot(error) {
  for (let each = error.cause; each; each = each.cause) {
    const [line] = String(each.message).split('\n')
    if (!line.startsWith('Cannot find module')) return `the addon does not load: ${line}`
  }
  const systems = readdirSync(FOLDER).flatMap(
    (file) => /^espseal\.(.+)\.node$/.exec(file)?.[1] ?? [],
  )
  return systems.length === 0
    ? 'no addon was built'
    : `the only addon is for ${systems.sort().join(' and ')}`
}

/** The system that this process runs on, as addons are named. */
function system() {
  const { platform, arch } = process
  if (platform !== 'linux') return `${platform}-${arch}`
  return `${platform}-${arch}-${isGlibc() ? 'gnu' : 'musl'}`
}

/** What to do where there is no addon. */
function remedy() {
  const isMusl = system().endsWith('-musl')
  return isMusl ? 'use an image based on Debian' : 'build its package on this machine'
}

function isGlibc() {
  // Else it looks up the name of every connection's other end.
  process.report.excludeNetwork = true
  return process.report.getReport().header.glibcVersionRuntime !== undefined
}

module.exports = { loadAddon, remedy, system }
