'use strict'

// What the editor asks a keyring is asked with Node-RED's own permissions.

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { existsSync } = require('node:fs')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const bcrypt = require('bcryptjs')
const { NodeRed, RUNTIMES } = require('../support/node-red')

const PASSWORD = randomBytes(8).toString('hex')
const USERS = { owner: '*', guest: 'read' }

for (const runtime of RUNTIMES) {
  describe(`the permissions of ${runtime.name}`, () => {
    const red = new NodeRed(runtime)
    const tokens = {}

    before(async () => {
      const password = bcrypt.hashSync(PASSWORD, 4)
      const users = Object.entries(USERS).map(([username, permissions]) => ({
        username,
        password,
        permissions,
      }))
      await red.install({ adminAuth: { type: 'credentials', users } })
      await red.start()
      for (const username of Object.keys(USERS)) tokens[username] = await logIn(username)
      const file = 'keyring.toml'
      const keyring = { id: 'keyring', type: 'espseal keyring', source: 'file', file }
      await red.deploy([keyring], credentials('owner'))
    })

    after(async () => {
      await red.remove()
    })

    async function logIn(username) {
      const login = { client_id: 'node-red-admin', grant_type: 'password', scope: USERS[username] }
      const response = await fetch(`${red.url}/auth/token`, {
        method: 'POST',
        body: new URLSearchParams({ ...login, username, password: PASSWORD }),
      })
      assert.equal(response.status, 200)
      return (await response.json()).access_token
    }

    const credentials = (user) => user && { authorization: `Bearer ${tokens[user]}` }

    async function ask(user, path, options = {}) {
      const headers = { 'content-type': 'application/json', ...credentials(user) }
      return await fetch(red.url + path, { ...options, headers })
    }

    const path = '/espseal/keyring/keyring'
    const read = async (user) => (await ask(user, path)).status
    const write = async (user) => {
      const body = JSON.stringify({ group: 'home', topic: 'a/+', sessionTopic: 'a/session' })
      return (await ask(user, `${path}/file`, { method: 'POST', body })).status
    }

    it('keep strangers out', async () => {
      assert.deepEqual([await read(), await write()], [401, 401])
    })

    it('let a guest see, and change nothing', async () => {
      assert.deepEqual([await read('guest'), await write('guest')], [200, 401])
      assert.ok(!existsSync(join(red.folder, 'keyring.toml')))
    })

    it('let the owner do both', async () => {
      assert.deepEqual([await read('owner'), await write('owner')], [200, 200])
      assert.ok(existsSync(join(red.folder, 'keyring.toml')))
    })
  })
}
