'use strict'

// What a sealed device is given, as `espseal provision` writes it.

const RENDER = { nodemcu, arduino, json }
const FILES = { nodemcu: 'config.lua', arduino: 'espseal_config.h', json: 'device.json' }

/** The file's name and its text, for one of the formats. */
function provisioningFile(provision, format) {
  const render = RENDER[format]
  return render && { file: FILES[format], text: render(provision) }
}

function fields(provision) {
  return {
    version: 1,
    name: provision.name,
    address: provision.address,
    device_key: provision.deviceKey.expose().toString('hex'),
    epoch: provision.epoch,
    up_topic: provision.upTopic,
    hello_topic: provision.helloTopic,
    down_topic: provision.downTopic,
    beacon_topic: provision.beaconTopic,
  }
}

function json(provision) {
  return JSON.stringify(fields(provision), null, 2) + '\n'
}

function nodemcu(provision) {
  const { name, address, device_key, epoch, ...topics } = fields(provision)
  delete topics.version
  const block = (values) =>
    Object.entries(values).map(([field, value]) => `  ${field} = ${luaLiteral(value)},\n`)
  return [
    `-- ${shown(name)}, as Node-RED offered it once. It holds the device's key: keep it to yourself.\n`,
    '-- sealed.config.example.lua has what else can be set.\n\n',
    'return {\n',
    ...block({ wifi_ssid: 'YOUR-WIFI', mqtt_host: 'BROKER.EXAMPLE' }),
    '\n',
    ...block({ address, device_key, epoch }),
    '\n',
    ...block(topics),
    '\n  -- What to publish, a number or a string; nil: nothing now.\n',
    '  sensor = function() return adc.read(0) end,\n}\n',
  ].join('')
}

function arduino(provision) {
  const values = fields(provision)
  delete values.version
  const { address, device_key } = values
  const lines = Object.entries({
    ...values,
    address: Buffer.from(address, 'hex'),
    device_key: Buffer.from(device_key, 'hex'),
  }).map(([field, value]) => `#define ESPSEAL_${field.toUpperCase()} ${cLiteral(value)}\n`)
  return [
    `/* ${shown(values.name).replaceAll('*/', '* /')}, as Node-RED offered it once. It holds the device's key: keep it to yourself. */\n`,
    '#ifndef ESPSEAL_CONFIG_H\n#define ESPSEAL_CONFIG_H\n\n',
    ...lines,
    '\n#endif\n',
  ].join('')
}

/** One line, whatever is in it. */
function shown(name) {
  return name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
}

/** Lua 5.1, 2.1: `\ddd` stands for any byte. */
function luaLiteral(value) {
  if (typeof value === 'number') return String(value)
  return quoted(value, '"\\', (byte) => `\\${String(byte).padStart(3, '0')}`)
}

/** Octal ends after three digits (C99, 6.4.4.4); a question mark might begin a trigraph. */
function cLiteral(value) {
  if (typeof value === 'number') return String(value)
  if (Buffer.isBuffer(value)) {
    return `{${Array.from(value, (byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ')}}`
  }
  return quoted(value, '"\\?', (byte) => `\\${byte.toString(8).padStart(3, '0')}`)
}

function quoted(text, special, escape) {
  const characters = Array.from(Buffer.from(text), (byte) => {
    const character = String.fromCharCode(byte)
    const isPlain = byte >= 0x20 && byte < 0x7f && !special.includes(character)
    return isPlain ? character : escape(byte)
  })
  return `"${characters.join('')}"`
}

module.exports = { provisioningFile }
