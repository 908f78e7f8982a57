'use strict'

// What lib/index.d.ts declares is there, and what is there is declared.

const assert = require('node:assert/strict')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { describe, it } = require('node:test')
const library = require('../lib')

const text = readFileSync(join(__dirname, '../lib/index.d.ts'), 'utf8')
const MEMBER = /^ +(?:readonly |private )?(static )?(?:readonly |get )?([a-z]\w*)[?(:]/i

/** `export class Name .. { members }`, also within the namespace. */
function declaredClasses(indent) {
  const pattern = new RegExp(`^${indent}(?:export )?class (\\w+).*{\\n([^]*?)^${indent}}`, 'gm')
  return new Map([...text.matchAll(pattern)].map(([, name, body]) => [name, members(body, indent)]))
}

function members(body, indent) {
  const found = { static: new Set(), own: new Set() }
  for (const line of body.split('\n')) {
    if (!line.startsWith(`${indent}  `) || line.startsWith(`${indent}   `)) continue
    const match = MEMBER.exec(line)
    if (match && match[2] !== 'constructor') found[match[1] ? 'static' : 'own'].add(match[2])
  }
  return found
}

function sorted(names) {
  return [...names].sort()
}

function actual(type) {
  const ofFunctions = new Set(['length', 'name', 'prototype', 'fromNative'])
  const names = Object.getOwnPropertyNames
  return {
    static: names(type).filter((name) => !ofFunctions.has(name)),
    own: names(type.prototype).filter((name) => name !== 'constructor'),
  }
}

describe('index.d.ts', () => {
  it('exports what the library does', () => {
    const exported = [...text.matchAll(/^export (?:class|const|function|namespace) (\w+)/gm)]
    assert.deepEqual(
      sorted(new Set(exported.map(([, name]) => name))),
      sorted(Object.keys(library)),
    )
    const inner = [...text.matchAll(/^ {2}(?:class|function) (\w+)/gm)]
    const within = [library.classic, library.sealed].flatMap(Object.keys)
    assert.deepEqual(sorted(inner.map(([, name]) => name)), sorted(within))
  })

  const classes = [
    ...[...declaredClasses('')].map(([name, declared]) => [library[name], declared]),
    ...[...declaredClasses('  ')].map(([name, declared]) => [
      library.classic[name] ?? library.sealed[name],
      declared,
    ]),
  ]
  for (const [type, declared] of classes) {
    it(`declares ${type.name}`, () => {
      const { static: statics, own } = actual(type)
      assert.deepEqual(sorted(declared.static), sorted(statics))
      // The fields of these are set by their constructors.
      const hasFields = type.name === 'Message' || type.name === 'Rejected'
      const declaredHere = [...declared.own].filter((name) => !hasFields || own.includes(name))
      assert.deepEqual(sorted(declaredHere), sorted(own))
    })
  }

  it('declares the fields of messages', () => {
    const { receiver, device } = require('./support/keyring').pair()
    const fields = Object.keys(receiver.open(device.seal('1')))
    const declared = declaredClasses('').get('Message').own
    assert.deepEqual(sorted(declared), sorted([...fields, 'done', 'text']))
  })

  it('lists the verdicts in their order', () => {
    const union = /^export type Verdict =\n((?: {2}\| '\w+'\n)+)/m.exec(text)[1]
    assert.deepEqual(
      [...union.matchAll(/'(\w+)'/g)].map(([, word]) => word),
      [...library.VERDICTS],
    )
  })
})
