'use strict'

// Somebody sits before the editor: in a real browser, with mouse and keyboard.
//
// $ESPSEAL_PICTURES: a folder for the pictures of the README.

const assert = require('node:assert/strict')
const { randomBytes } = require('node:crypto')
const { existsSync, readFileSync } = require('node:fs')
const { join } = require('node:path')
const { after, before, describe, it } = require('node:test')
const { Keyring, KeyringFile } = require('../../lib')
const { Editor } = require('../support/editor')
const { NodeRed, RUNTIMES } = require('../support/node-red')
const { waitFor } = require('../support/wait')

const PICTURES = process.env.ESPSEAL_PICTURES
const KEYS = {
  ivKey: randomBytes(16).toString('hex'),
  dataKey: randomBytes(16).toString('hex'),
  staticIv: randomBytes(16).toString('hex'),
  passphrase: randomBytes(32).toString('hex'),
}

for (const runtime of RUNTIMES) {
  describe(`the editor of ${runtime.name}`, () => {
    const red = new NodeRed(runtime)
    const ids = {}
    let editor, page

    const field = (name) => page.locator(`#node-config-input-${name}`)
    const file = (name) => readFileSync(join(red.folder, name), 'utf8')
    const debugged = async () => await page.locator('.red-ui-debug-msg-payload').allInnerTexts()

    async function picture(name, selector) {
      if (!PICTURES || runtime !== RUNTIMES[0]) return
      await editor.settle()
      const place = selector ? page.locator(selector).last() : page
      await place.screenshot({ path: join(PICTURES, `${name}.png`) })
    }

    before(async () => {
      await red.install()
      await red.start()
      editor = await Editor.open(red.url)
      page = editor.page
    })

    after(async () => {
      await editor?.close()
      await red.remove()
    })

    it('has the nodes in its palette, and takes them', async () => {
      ids.session = await editor.drop('espseal session', 140, 100)
      ids.device = await editor.drop('espseal device', 340, 100)
      ids.open = await editor.drop('espseal open', 540, 100)
      ids.inject = await editor.drop('inject', 140, 200)
      ids.debug = await editor.drop('debug', 720, 80)
      await editor.wire(ids.session, 0, ids.device)
      await editor.wire(ids.session, 0, ids.open)
      await editor.wire(ids.inject, 0, ids.device)
      await editor.wire(ids.device, 0, ids.open)
      await editor.wire(ids.device, 0, ids.session)
      await editor.wire(ids.open, 0, ids.debug)
    })

    it('takes the keys of a keyring, and says what is wrong with them', async () => {
      await editor.edit(ids.open)
      await page.click('#node-input-btn-keyring-add')
      await page.waitForSelector('#node-config-dialog-ok', { state: 'visible' })
      await editor.settle()
      await field('name').fill('my keyring')
      await field('source').selectOption('typed')
      assert.match(await field('sessionKey').inputValue(), /^[0-9a-f]{64}$/)

      await field('topic').fill('sensors/#/x')
      await field('ivKey').fill('0123')
      await field('ivKey').blur()
      assert.equal(await page.locator('#node-config-input-topic.input-error').count(), 1)
      assert.equal(await page.locator('#node-config-input-ivKey.input-error').count(), 1)
      await field('topic').fill('sensors/+')
      for (const [name, key] of Object.entries(KEYS)) {
        await field(name).fill(key)
        await field(name).blur()
      }
      for (const name of ['topic', ...Object.keys(KEYS), 'sessionKey']) {
        assert.equal(await page.locator(`#node-config-input-${name}.input-error`).count(), 0, name)
      }
      await page.click(
        '#espseal-typed-devices ~ * .red-ui-editableList-addButton, .red-ui-editableList-addButton',
      )
      await page.locator('.espseal-device-name').fill('kitchen')
      await page.locator('.espseal-device-node-id').fill('11242238')
      await picture('keyring', '.red-ui-tray')
      await editor.configOk()
      await editor.ok()
      ids.keyring = await page.evaluate((id) => window.RED.nodes.node(id).keyring, ids.open)
      assert.ok(ids.keyring)
    })

    it('connects the other nodes with it', async () => {
      for (const [id, device] of [
        [ids.session, null],
        [ids.device, 'kitchen'],
      ]) {
        await editor.edit(id)
        await page.locator('#node-input-keyring').selectOption(ids.keyring)
        if (device) await page.locator('#node-input-device').fill(device)
        await editor.ok()
      }
      await editor.edit(ids.inject)
      await page.locator('#node-input-name').fill('21.5')
      await page.evaluate(() => {
        const $ = window.jQuery
        $('#node-input-property-container .node-input-prop-property-value')
          .first()
          .typedInput('type', 'str')
          .typedInput('value', '21.5')
      })
      await editor.ok()
    })

    it('deploys, and no key is in the flow', async () => {
      await editor.deploy()
      await waitFor(() => existsSync(join(red.folder, 'flows_cred.json')), 'the credentials')
      const [flows, credentials] = [file('flows.json'), file('flows_cred.json')]
      assert.match(flows, /espseal keyring/)
      for (const key of Object.values(KEYS)) {
        assert.ok(!flows.includes(key) && !credentials.includes(key) && !red.log.includes(key))
      }
      assert.match(credentials, /^\{\s*"\$":/)
      const exported = await (await fetch(`${red.url}/flows`)).text()
      for (const key of Object.values(KEYS)) assert.ok(!exported.includes(key))
    })

    it('shows the reading in the debug sidebar', async () => {
      await page.keyboard.press('Escape')
      await page.evaluate(() => window.RED.sidebar.show('debug'))
      await page.waitForSelector('.red-ui-debug-content')
      await page.locator(`[id="${ids.inject}"] .red-ui-flow-node-button-button`).click()
      const texts = await waitFor(async () => {
        const found = await debugged()
        return found.length > 0 && found
      }, 'the reading')
      assert.match(texts[0], /21\.5/)
      await page.waitForSelector(
        `[id="${ids.open}"] .red-ui-flow-node-status-label:has-text("kitchen")`,
      )
      await picture('first-reading')
    })

    it('lists the devices, with when each was seen', async () => {
      await editor.editConfig(ids.keyring, 'espseal keyring')
      const row = page.locator('.espseal-devices tr', { hasText: 'kitchen' })
      await row.waitFor()
      const text = await row.innerText()
      assert.match(text, /classic/)
      assert.match(text, /11242238/)
      assert.ok(!text.includes('not yet'))
      for (const name of Object.keys(KEYS)) {
        assert.equal(await field(name).inputValue(), '__PWRD__')
      }
      await page.locator('.espseal-devices').scrollIntoViewIfNeeded()
      await picture('devices', '.red-ui-tray')
      await page.click('#node-config-dialog-cancel')
      await editor.settle()
    })

    it('makes a keyring file, adds devices to it, and offers their keys once', async () => {
      const path = join(red.folder, 'keyring.toml')
      await editor.editConfig(ids.keyring, 'espseal keyring')
      await field('source').selectOption('file')
      await field('file').fill('keyring.toml')
      await editor.configOk()
      await editor.deploy()

      await editor.editConfig(ids.keyring, 'espseal keyring')
      await page.click('#espseal-create')
      await page.waitForSelector('#espseal-add')
      assert.deepEqual(
        [Keyring.load(path).groups, Keyring.load(path).fleets].map(([{ name }]) => name),
        ['home', 'home'],
      )
      // The next change reads it.
      KeyringFile.open(path).addFleet('boats')
      await page.fill('#espseal-add-name', 'kitchen')
      await page.fill('#espseal-add-address', '11242238')
      await page.click('#espseal-add')
      await page.locator('.espseal-devices tr', { hasText: 'kitchen' }).waitFor()
      await page.fill('#espseal-add-name', 'kitchen')
      await page.fill('#espseal-add-address', '1')
      await page.click('#espseal-add')
      await page.locator('.espseal-problem', { hasText: 'already' }).waitFor()

      await page.fill('#espseal-add-name', 'door')
      await page.selectOption('#espseal-add-where', 'fleet:boats')
      await page.selectOption('#espseal-add-format', 'json')
      await page.click('#espseal-add')
      const link = page.locator('.espseal-provision a')
      await link.waitFor()
      const { deviceKey } = Keyring.load(path).provision('door')
      const offered = decodeURIComponent(await link.getAttribute('href'))
      assert.ok(offered.includes(deviceKey.expose().toString('hex')))
      await picture('provision', '.red-ui-tray')

      page.once('dialog', (dialog) => dialog.accept())
      await page.locator('.espseal-devices tr', { hasText: 'door' }).locator('button').click()
      await waitFor(() => Keyring.load(path).devices[1].revoked, 'the revocation')
      await page.locator('.espseal-provision').waitFor({ state: 'detached' })
      await page.click('#node-config-dialog-cancel')
      await editor.settle()
    })

    it('threw nothing', () => {
      assert.deepEqual(editor.errors, [])
      assert.ok(!/uncaught|unhandled/i.test(red.log), red.log)
    })
  })
}
