'use strict'

// A house with three devices: its keyring, and what is in the flash of each device.

const { randomBytes } = require('node:crypto')
const { Keyring, KeyringFile, classic } = require('../lib')

const GROUP = { topic: 'house/+', sessionTopic: 'house/session' }
const NODE_ID = '11242238'

// Tenths of a degree that go up and down, as the firmware's integer build can write them.
const thermometer = (tenths, swing) => ({
  lua: `function()
    count = (count or 0) + 1
    local at = count % ${2 * swing}
    local t = ${tenths} + (at < ${swing} and at or ${2 * swing} - at)
    return ("%d.%d"):format((t - t % 10) / 10, t % 10)
  end`,
})

/** Writes a keyring with new keys, and answers the boards of its devices. */
function furnish(file, brokerPort) {
  const keys = {
    ivKey: randomBytes(16),
    dataKey: randomBytes(16),
    staticIv: randomBytes(16),
    passphrase: randomBytes(32),
  }
  const keyring = KeyringFile.create(file)
  keyring.addGroup('house', { ...GROUP, keys: new classic.ClassicKeys(keys) })
  keyring.addDevice('kitchen', { group: 'house', nodeId: NODE_ID })
  keyring.addFleet('home')
  keyring.addSealed('greenhouse', { fleet: 'home' })
  keyring.addSealed('lamp', { fleet: 'home' })

  const given = Keyring.load(file)
  const sealed = (name) => sealedConfig(given.provision(name))
  const broker = { mqtt_host: '127.0.0.1', mqtt_port: brokerPort }
  return [
    {
      chip_id: Number(NODE_ID),
      startup: 'main.lua',
      config: { ...broker, ...classicConfig(keys), interval: 3000, sensor: thermometer(196, 20) },
    },
    {
      chip_id: 2,
      startup: 'main_sealed.lua',
      config: { ...broker, ...sealed('greenhouse'), interval: 4000, sensor: thermometer(273, 40) },
    },
    {
      chip_id: 3,
      startup: 'main_sealed.lua',
      config: {
        ...broker,
        ...sealed('lamp'),
        interval: 2000,
        sensor: { lua: 'function() return light or "off" end' },
        on_command: { lua: 'function(data) light = data end' },
      },
    },
  ]
}

function classicConfig({ ivKey, dataKey, staticIv, passphrase }) {
  const hex = (key) => ({ hex: key.toString('hex') })
  return {
    node_id: NODE_ID,
    topic: 'house/kitchen',
    session_topic: GROUP.sessionTopic,
    keys: {
      iv_key: hex(ivKey),
      data_key: hex(dataKey),
      static_iv: hex(staticIv),
      passphrase: hex(passphrase),
    },
  }
}

function sealedConfig({ address, deviceKey, epoch, beaconTopic }) {
  const device_key = deviceKey.expose().toString('hex')
  return { address, device_key, epoch, beacon_topic: beaconTopic }
}

module.exports = { furnish }
