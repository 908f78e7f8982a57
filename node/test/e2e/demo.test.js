'use strict'

// The demo, as somebody tries it: in a terminal and a browser, to the Ctrl-C.
//
// $ESPSEAL_PICTURES: a folder for the pictures of the READMEs.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { existsSync, readFileSync, readdirSync, rmSync } = require('node:fs')
const { createServer } = require('node:net')
const { join } = require('node:path')
const { after, describe, it } = require('node:test')
const { Editor } = require('../support/editor')
const { waitFor } = require('../support/wait')

const ROOT = join(__dirname, '../../..')
const PICTURES = process.env.ESPSEAL_PICTURES
// What make has to build first.
const LONG = 15 * 60_000

/** A terminal in which a command of the demo runs. */
class Terminal {
  #child

  constructor(command, ...given) {
    // A process group of its own, as a shell gives it.
    this.#child = spawn(command, given, { cwd: ROOT, detached: true })
    this.text = ''
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (chunk) => (this.text += chunk))
    }
    /** Its exit code, or the signal that ended it. */
    this.ended = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }))
    })
    this.ended.then(() => (this.hasEnded = true))
  }

  /** Waits until it has printed this, and answers the match. */
  async prints(pattern, patience) {
    const found = () => {
      const match = pattern.exec(this.text)
      if (!match && this.hasEnded) throw new Error(`it has ended:\n${this.text}`)
      return match
    }
    return await waitFor(found, () => `${pattern}:\n${this.text}`, patience)
  }

  /** Its processes, and theirs. */
  get processes() {
    const parents = new Map()
    for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        parents.set(
          Number(id),
          Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/status`))[1]),
        )
      } catch (error) {
        // It has ended in between.
        if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error
      }
    }
    const found = [this.#child.pid]
    for (const each of found) {
      for (const [id, parent] of parents) if (parent === each) found.push(id)
    }
    return found
  }

  /** Ctrl-C: the whole group hears of it. */
  async interrupt() {
    this.send('SIGINT')
    return await this.ended
  }

  send(signal) {
    process.kill(-this.#child.pid, signal)
  }

  async end() {
    if (!this.hasEnded) this.send('SIGTERM')
    return await this.ended
  }
}

const isAlive = (id) => existsSync(`/proc/${id}`)

describe('make demo-node-red', () => {
  const terminal = new Terminal('make', 'demo-node-red')
  let editor, page

  const status = (id) => page.locator(`[id="${id}"] .red-ui-flow-node-status-label`)
  const press = (id) => page.locator(`[id="${id}"] .red-ui-flow-node-button-button`).click()
  const shows = async (id, pattern) =>
    await waitFor(
      async () => {
        const [text] = await status(id).allTextContents()
        return text && pattern.test(text)
      },
      () => `${pattern} below ${id}:\n${terminal.text}`,
    )

  /** A window of this size, and a picture of a part of it. */
  async function picture(name, selector, width, height) {
    if (!PICTURES) return
    await page.setViewportSize({ width, height })
    await editor.settle()
    await page
      .locator(selector)
      .last()
      .screenshot({ path: join(PICTURES, `${name}.png`) })
    await page.setViewportSize({ width: 1440, height: 860 })
    await editor.settle()
  }

  after(async () => {
    await editor?.close()
    await terminal.end()
  })

  it('prints an address, and what is to be seen there', async () => {
    const [, url] = await terminal.prints(/^ +(http:\S+)[^]*Ctrl-C stops/m, LONG)
    editor = await Editor.open(url)
    page = editor.page
    await page.evaluate(() => globalThis.RED.sidebar.show('debug'))
  })

  it('has readings of classic and sealed devices', async () => {
    await shows('device-0', /^\d\d\.\d$/)
    await shows('device-1', /^\d\d\.\d$/)
    await shows('device-2', /^off$/)
  })

  it('has a lamp that obeys, and says so', async () => {
    await press('on')
    await shows('ack', /^on$/)
    await shows('device-2', /^on$/)
  })

  it('has an attacker who gets nothing through', async () => {
    await press('attack-0')
    await shows('verdict-0', /^duplicate$/)
    await press('attack-1')
    await shows('verdict-1', /^Somebody tampers: forged/)
    await press('attack-2')
    await shows('verdict-1', /^Somebody tampers: malformed/)
    await press('off')
    await shows('device-2', /^off$/)
    // The command that switched it on. Whatever it says afterwards, it stays off.
    await press('attack-3')
    const opened = async () => Number(/(\d+) fresh/.exec(await status('open').textContent())[1])
    const before = await opened()
    await waitFor(async () => (await opened()) > before + 5, 'more readings')
    assert.equal(await status('device-2').textContent(), 'off')
  })

  it('has its devices in the keyring', async () => {
    await picture('demo', '#red-ui-workspace-chart', 1440, 880)
    await editor.editConfig('keyring', 'espseal keyring')
    const row = (name) => page.locator('.espseal-devices tr', { hasText: name })
    for (const [name, format] of [
      ['kitchen', 'classic'],
      ['greenhouse', 'sealed'],
      ['lamp', 'sealed'],
    ]) {
      assert.match(await row(name).innerText(), new RegExp(`${format}[^]*\\d\\d:\\d\\d`))
    }
    const inView = async (place) => {
      const [box, tray] = [
        await place.boundingBox(),
        await page.locator('.red-ui-tray').last().boundingBox(),
      ]
      return box.x + box.width < tray.x + tray.width
    }
    assert.ok(await inView(row('lamp').locator('button')), 'the button to revoke is in view')
    await picture('keyring-file', '.red-ui-tray', 1440, 740)
    await page.click('#node-config-dialog-cancel')
    await editor.settle()
  })

  it('has a form for each node', async () => {
    for (const id of ['open', 'seal', 'session']) {
      await editor.edit(id)
      assert.equal(await page.locator('.red-ui-tray .input-error').count(), 0, id)
      const chosen = await page
        .locator('.red-ui-tray-body select')
        .evaluateAll((selects) => selects.map(({ value }) => value))
      assert.ok(chosen.length > 0 && !chosen.includes(''), `${id}: ${chosen}`)
      await picture(id, '.red-ui-tray', 1440, 440)
      await page.click('#node-dialog-cancel')
      await editor.settle()
    }
  })

  it('takes an example out of the Import menu', async () => {
    await page.evaluate(() => globalThis.RED.actions.invoke('core:show-examples-import-dialog'))
    const dialog = page.locator('#red-ui-clipboard-dialog')
    const entry = (name) => dialog.locator('.red-ui-treeList-label', { hasText: name }).last()
    await entry('@espseal/node-red-espseal').click()
    await entry('first-light').click()
    await page.locator('#red-ui-clipboard-dialog-ok').click()
    await dialog.waitFor({ state: 'hidden' })
    await editor.deploy()
    const texts = page.locator('.red-ui-debug-msg', { hasText: 'node: the reading' })
    await texts.first().waitFor()
    await page.locator('.red-ui-tab', { hasText: 'First light' }).click()
    await page.locator('#red-ui-sidebar-debug-filter').click()
    await page.locator('input[name="filter-type"][value="filterCurrent"]').click()
    await page.locator('.red-ui-notification').last().waitFor({ state: 'detached' })
    await texts.last().waitFor()
    await page.mouse.move(600, 10)
    await picture('first-light', '#red-ui-main-container', 1440, 460)
    assert.deepEqual(editor.errors, [])
    await editor.close()
  })

  it('leaves nothing behind', async () => {
    const { processes } = terminal
    const [, folder] = /files are in (\S+)/.exec(terminal.text)
    assert.ok(processes.length >= 3 && existsSync(folder))
    const { code, signal } = await terminal.interrupt()
    // Make ends by the signal, whatever its child does.
    assert.deepEqual([code, signal], [null, 'SIGINT'])
    assert.match(terminal.text, /Stopped: no process and no file is left\.\n$/)
    assert.deepEqual(processes.filter(isAlive), [])
    assert.ok(!existsSync(folder))
  })
})

describe('the demo', () => {
  it('takes other ports where the usual ones are taken', async (test) => {
    for (const port of [1880, 1883]) await occupy(test, port)
    const terminal = new Terminal(process.execPath, 'node/demo')
    test.after(() => terminal.end())
    const [, url] = await terminal.prints(/^ +(http:\S+) {2}\(1880 is taken\)\n[^]*Ctrl-C stops/m)
    assert.match(terminal.text, /mqtt:\/\/127\.0\.0\.1:\d+ {2}\(1883 is taken\)/)
    assert.ok((await fetch(url)).ok)
    assert.equal((await terminal.interrupt()).code, 0)
  })

  it('can be stopped while it starts', async (test) => {
    const terminal = new Terminal(process.execPath, 'node/demo')
    test.after(() => terminal.end())
    await terminal.prints(/Starting Node-RED/)
    await waitFor(() => terminal.processes.length > 1, 'Node-RED')
    const { processes } = terminal
    assert.equal((await terminal.interrupt()).code, 0)
    assert.deepEqual(processes.filter(isAlive), [])
  })

  it('ends with one sentence when Node-RED breaks', async (test) => {
    const terminal = new Terminal(process.execPath, 'node/demo')
    test.after(() => terminal.end())
    await terminal.prints(/Ctrl-C stops/)
    const [, red] = terminal.processes
    process.kill(red, 'SIGKILL')
    await terminal.prints(/The demo has failed: Node-RED ended\./)
    assert.equal((await terminal.ended).code, 1)
  })

  it('takes its processes with it when it is killed', async (test) => {
    const terminal = new Terminal(process.execPath, 'node/demo')
    test.after(() => terminal.end())
    await terminal.prints(/Ctrl-C stops/)
    const { processes } = terminal
    assert.ok(processes.length >= 3)
    terminal.send('SIGKILL')
    const [, folder] = /files are in (\S+)/.exec(terminal.text)
    // Nobody is left who would.
    test.after(() => rmSync(folder, { recursive: true }))
    await waitFor(() => processes.every((id) => !isAlive(id)), 'their end')
  })
})

/** Listens on a port, unless somebody does. */
async function occupy(test, port) {
  const server = createServer()
  const isMine = await new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => resolve(true))
  })
  if (isMine) test.after(() => new Promise((resolve) => server.close(resolve)))
}
