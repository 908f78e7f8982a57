'use strict'

const { Configuration } = require('./runtime/configuration')
const { addEndpoints } = require('./runtime/endpoints')
const { KeyringRuntime } = require('./runtime/keyring')

module.exports = function (RED) {
  function KeyringNode(config) {
    RED.nodes.createNode(this, config)
    const folder = RED.settings.userDir ?? process.cwd()
    const configuration = new Configuration(config, this.credentials, folder)
    this.runtime = new KeyringRuntime(configuration)
    this.runtime.on('change', () => {
      if (this.runtime.problem) this.error(this.runtime.problem.message)
    })
    this.runtime.on('problem', (error) => this.error(error.message))
    this.runtime.load()
    this.on('close', () => this.runtime.close())
  }

  RED.nodes.registerType('espseal keyring', KeyringNode, {
    credentials: {
      ivKey: { type: 'password' },
      dataKey: { type: 'password' },
      staticIv: { type: 'password' },
      passphrase: { type: 'password' },
      sessionKey: { type: 'password' },
    },
  })
  addEndpoints(RED)
}
