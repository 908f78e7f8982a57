'use strict'

// What would be published: what is in it, what Node-RED's own checks say of it, and that it
// installs into an empty user directory and loads.

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const { mkdtempSync, readFileSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { after, describe, it } = require('node:test')
const { NodeRed, RUNTIMES } = require('../support/node-red')
const { PACKAGE, pack } = require('../support/tarball')

const MANIFEST = require('../../package.json')

// Each kind of file that a user needs, and nothing else.
const NEEDED = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE-(APACHE|MIT)$/,
  /^lib\/[a-z-]+\.js$/,
  /^lib\/index\.d\.ts$/,
  /^native\/index\.(js|d\.ts)$/,
  /^native\/espseal\.[a-z0-9-]+\.node$/,
  /^nodes\/espseal-[a-z]+\.(js|html)$/,
  /^nodes\/icons\/espseal\.svg$/,
  /^nodes\/locales\/en-US\/espseal-[a-z]+\.(json|html)$/,
  /^nodes\/runtime\/[a-z-]+\.js$/,
  /^examples\/[a-z-]+\.json$/,
]

describe('the package', () => {
  const folder = mkdtempSync(join(tmpdir(), 'espseal-package-'))
  after(() => rmSync(folder, { recursive: true }))

  it('holds what its users need, and nothing else', () => {
    const { files } = pack()
    const others = files.filter((file) => !NEEDED.some((pattern) => pattern.test(file)))
    assert.deepEqual(others, [])
    for (const pattern of NEEDED) {
      assert.ok(
        files.some((file) => pattern.test(file)),
        `a file like ${pattern}`,
      )
    }
    for (const node of Object.values(MANIFEST['node-red'].nodes)) {
      assert.ok(files.includes(node) && files.includes(node.replace('.js', '.html')), node)
    }
  })

  it('asks nothing of those who install it', () => {
    const { dependencies, optionalDependencies, peerDependencies, scripts } = MANIFEST
    assert.deepEqual([dependencies, optionalDependencies, peerDependencies], Array(3).fill())
    const atInstallation = Object.keys(scripts).filter((name) => /install|prepare/.test(name))
    assert.deepEqual(atInstallation, [])
  })

  it("passes every check of Node-RED's own validator", () => {
    const card = join(folder, 'card.json')
    const validator = join(PACKAGE, 'node_modules/node-red-dev/bin/run')
    const offline = ['--require', join(PACKAGE, 'scripts/no-network.cjs')]
    const flags = ['validate', '-p', PACKAGE, '-o', card]
    const log = execFileSync(process.execPath, [...offline, validator, ...flags], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    // It succeeds whatever it finds: the card says it.
    const { package: of, ...checks } = JSON.parse(readFileSync(card, 'utf8'))
    assert.deepEqual(of, { name: MANIFEST.name, version: MANIFEST.version })
    const names = 'D01 D02 D03 N01 N02 P01 P03 P04 P05 P06 P07 P08'.split(' ')
    assert.deepEqual(Object.keys(checks).sort(), names)
    for (const name of names) assert.equal(checks[name].test, true, `${name}:\n${log}`)
    assert.equal(checks.P06.versions.length, RUNTIMES.length)
    assert.equal(checks.D01.total, 0)
  })

  for (const runtime of RUNTIMES) {
    it(`installs into an empty directory, and loads in ${runtime.name}`, async () => {
      const red = new NodeRed(runtime)
      try {
        await red.install()
        await red.start()
        const sets = (await red.get('/nodes')).filter(({ module }) => module === MANIFEST.name)
        const names = sets.map(({ name }) => name).sort()
        assert.deepEqual(names, Object.keys(MANIFEST['node-red'].nodes).sort())
        for (const { name, types, enabled, err, local } of sets) {
          assert.deepEqual(
            [types, enabled, err, local],
            [[name.replace('-', ' ')], true, undefined, true],
          )
        }
      } finally {
        await red.remove()
      }
    })
  }
})
