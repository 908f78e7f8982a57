'use strict'

const { chromium } = require('playwright-core')

/** Node-RED's editor in Debian's Chromium. */
class Editor {
  static async open(url) {
    const browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu'],
    })
    const page = await browser.newPage({ viewport: { width: 1440, height: 860 } })
    const editor = new Editor(browser, page)
    page.on('pageerror', (error) => editor.errors.push(error.message))
    await page.goto(url)
    await page.waitForSelector('#red-ui-workspace-chart')
    await page.waitForFunction(() => window.RED?.nodes.getType('espseal open'))
    await page.waitForSelector('.red-ui-palette-node[data-palette-type="espseal open"]')
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' })
    return editor
  }

  constructor(browser, page) {
    this.browser = browser
    this.page = page
    /** What the editor's scripts threw. */
    this.errors = []
  }

  async close() {
    await this.browser.close()
  }

  /** Drags a node out of the palette; answers its ID. */
  async drop(type, x, y) {
    const { page } = this
    const before = await this.ids()
    const item = page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`)
    await item.scrollIntoViewIfNeeded()
    const from = await item.boundingBox()
    const chart = await page.locator('#red-ui-workspace-chart').boundingBox()
    await page.mouse.move(from.x + 40, from.y + from.height / 2)
    await page.mouse.down()
    await page.mouse.move(chart.x + x, chart.y + y - 20, { steps: 8 })
    await page.mouse.move(chart.x + x, chart.y + y, { steps: 4 })
    await page.mouse.up()
    const after = await this.ids()
    const [id] = after.filter((each) => !before.includes(each))
    if (!id) throw new Error(`${type} was not dropped`)
    return id
  }

  async ids() {
    return await this.page.evaluate(() => {
      const ids = []
      window.RED.nodes.eachNode(({ id }) => ids.push(id))
      return ids
    })
  }

  /** Draws a wire from an output to an input, with the mouse. */
  async wire(from, port, to) {
    const { page } = this
    const place = async (id, selector, at) => {
      const box = await page.locator(`[id="${id}"] ${selector}`).nth(at).boundingBox()
      return [box.x + box.width / 2, box.y + box.height / 2]
    }
    await page.mouse.move(
      ...(await place(from, '.red-ui-flow-port-output .red-ui-flow-port', port)),
    )
    await page.mouse.down()
    const end = await place(to, '.red-ui-flow-port-input .red-ui-flow-port', 0)
    await page.mouse.move(end[0] - 20, end[1], { steps: 6 })
    await page.mouse.move(...end, { steps: 4 })
    await page.mouse.up()
    const wired = await page.evaluate(
      ([source, target]) =>
        window.RED.nodes.filterLinks({ source: { id: source }, target: { id: target } }).length,
      [from, to],
    )
    if (wired === 0) throw new Error('the wire did not hold')
  }

  /** Opens the dialog of a node, as a double click does. */
  async edit(id) {
    await this.page.evaluate((each) => window.RED.editor.edit(window.RED.nodes.node(each)), id)
    await this.page.waitForSelector('#node-dialog-ok', { state: 'visible' })
    await this.settle()
  }

  async editConfig(id, type) {
    await this.page.evaluate(([each, of]) => window.RED.editor.editConfig('', of, each), [id, type])
    await this.page.waitForSelector('#node-config-dialog-ok', { state: 'visible' })
    await this.settle()
  }

  async ok() {
    await this.page.click('#node-dialog-ok')
    await this.page.waitForSelector('#node-dialog-ok', { state: 'detached' })
    await this.settle()
  }

  async configOk() {
    await this.page.click('#node-config-dialog-ok')
    await this.page.waitForSelector('#node-config-dialog-ok', { state: 'detached' })
    await this.settle()
  }

  async deploy() {
    await this.page.click('#red-ui-header-button-deploy')
    await this.page.waitForSelector('#red-ui-header-button-deploy.disabled')
    await this.page.waitForSelector('.red-ui-notification-success')
  }

  /** Dialogs slide in. */
  async settle() {
    await this.page.waitForTimeout(400)
  }

  async picture(file, options = {}) {
    await this.settle()
    await this.page.screenshot({ path: file, ...options })
  }
}

module.exports = { Editor }
