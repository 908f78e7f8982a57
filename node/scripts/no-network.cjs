'use strict'

// For `node --require`: `node-red-dev validate` asks a catalogue and a registry on the web, and
// dies without them. Here it gets a catalogue of nothing, and the versions that the tests run on.

const axios = require('../node_modules/node-red-dev/node_modules/axios')
const { engines, version } = require('node-red-5/package.json')
const maintained = require('node-red/package.json')

const ANSWERS = {
  '/catalogue.json': { modules: [] },
  '/node-red': {
    'dist-tags': { latest: version, 'v4-maintenance': maintained.version },
    versions: { [version]: { engines }, [maintained.version]: maintained },
  },
}

axios.get = async (url) => {
  const data = ANSWERS[new URL(url).pathname]
  if (!data) throw new Error(`nobody expected it to ask for ${url}`)
  return { data }
}
