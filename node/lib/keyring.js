'use strict'

const { flag, number, optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { make, own } = require('./natives')
const { DeviceKey } = require('./sealed')

class Keyring {
  constructor() {
    throw new TypeError('use Keyring.load or Keyring.parse')
  }

  static load(path, { allowWidePermissions = false } = {}) {
    const native = backend().Keyring
    flag(allowWidePermissions, 'allowWidePermissions')
    return make(Keyring, native.load(optionalText(path, 'path'), allowWidePermissions))
  }

  static parse(toml) {
    return make(Keyring, backend().Keyring.parse(text(toml, 'toml')))
  }

  get path() {
    return own(this).path()
  }

  get devices() {
    return own(this).devices().map(deviceEntry)
  }

  get groups() {
    return own(this).groups().map(groupEntry)
  }

  get fleets() {
    return own(this).fleets()
  }

  get helloFilters() {
    return own(this).helloFilters()
  }

  get downFilters() {
    return own(this).downFilters()
  }

  provision(name) {
    const { deviceKey, ...provision } = own(this).provision(text(name, 'name'))
    return { ...provision, deviceKey: new DeviceKey(deviceKey) }
  }

  provisioningFile(name, form, settings = {}) {
    const given = Object.entries(settings).map(([setting, value]) => ({
      name: setting,
      value: typeof value === 'string' ? value : number(value, setting),
    }))
    return own(this).provisioningFile(text(name, 'name'), text(form, 'form'), given)
  }

  get warnings() {
    return own(this).warnings()
  }
}

// What is not there is null everywhere, where the backend leaves it out.

function deviceEntry({ name, group = null, nodeId = null, topic = null, ...rest }) {
  const { commandTopic = null, commandSessionTopic = null } = rest
  const classic = { group, nodeId, topic, commandTopic, commandSessionTopic }
  const { fleet = null, address = null, downTopic = null, minimumEpoch = null } = rest
  const { revoked, ownKey } = rest
  return { name, ...classic, fleet, address, downTopic, minimumEpoch, revoked, ownKey }
}

function groupEntry({ name, topic, sessionTopic = null, layout, data, mac, devices }) {
  return { name, topic, sessionTopic, layout, data, mac, devices }
}

module.exports = { Keyring }
