'use strict'

// Reads tests/vectors: records of `key: value` lines, blank lines between them.

const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const FOLDER = join(__dirname, '../../../tests/vectors')

/** Every record of a file; one without any is an error. */
function read(file) {
  const lines = readFileSync(join(FOLDER, file), 'utf8').split('\n')
  const blocks = lines
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .split('\n\n')
  const records = blocks.map(record).filter(({ fields }) => fields.size > 0)
  if (records.length === 0) throw new Error(`${file} has no record`)
  return records
}

function record(block) {
  const fields = new Map()
  for (const line of block.split('\n').filter(Boolean)) {
    const at = line.indexOf(':')
    fields.set(line.slice(0, at), line.slice(at + 1).trim())
  }
  return {
    fields,
    name: fields.get('name'),
    text: (name) => fields.get(name),
    bytes: (name) => Buffer.from(fields.get(name), 'hex'),
  }
}

module.exports = { read }
