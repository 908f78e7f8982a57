'use strict'

const { flag, number, optionalNumber, optionalText, text } = require('./arguments')
const { backend } = require('./backend')
const { ClassicKeys } = require('./classic')
const { make, nativeOf, own } = require('./natives')

class KeyringFile {
  constructor() {
    throw new TypeError('use KeyringFile.create or KeyringFile.open')
  }

  static get defaultPath() {
    return backend().KeyringFile.defaultPath()
  }

  static create(path) {
    return make(KeyringFile, backend().KeyringFile.create(optionalText(path, 'path')))
  }

  static open(path) {
    return make(KeyringFile, backend().KeyringFile.open(optionalText(path, 'path')))
  }

  get path() {
    return own(this).path()
  }

  addGroup(
    name,
    {
      topic,
      sessionTopic,
      layout = 'hex',
      data = 'text',
      mac = 'unpadded',
      policy = 'pool',
      sessionInterval,
      sessionLife,
      commandTopic,
      commandSessionTopic,
      keys,
      dangerAcceptReplays = false,
      allowArticleKeys = false,
    } = {},
  ) {
    const group = {
      name: text(name, 'name'),
      topic: text(topic, 'topic'),
      sessionTopic: optionalText(sessionTopic, 'sessionTopic'),
      layout: text(layout, 'layout'),
      data: text(data, 'data'),
      mac: text(mac, 'mac'),
      policy: text(policy, 'policy'),
      sessionInterval: optionalNumber(sessionInterval, 'sessionInterval'),
      sessionLife: optionalNumber(sessionLife, 'sessionLife'),
      commandTopic: optionalText(commandTopic, 'commandTopic'),
      commandSessionTopic: optionalText(commandSessionTopic, 'commandSessionTopic'),
      dangerAcceptReplays: flag(dangerAcceptReplays, 'dangerAcceptReplays'),
      allowArticleKeys: flag(allowArticleKeys, 'allowArticleKeys'),
    }
    own(this).addGroup(group, keys === undefined ? keys : nativeOf(keys, ClassicKeys, 'keys'))
  }

  addDevice(name, { group, nodeId, topic } = {}) {
    own(this).addDevice(
      text(name, 'name'),
      text(group, 'group'),
      optionalText(nodeId, 'nodeId'),
      optionalText(topic, 'topic'),
    )
  }

  addFleet(
    name,
    {
      beaconTopic,
      upTopic,
      helloTopic,
      downTopic,
      beaconInterval,
      beaconLife,
      dangerFirstContact = false,
    } = {},
  ) {
    own(this).addFleet({
      name: text(name, 'name'),
      beaconTopic: optionalText(beaconTopic, 'beaconTopic'),
      upTopic: optionalText(upTopic, 'upTopic'),
      helloTopic: optionalText(helloTopic, 'helloTopic'),
      downTopic: optionalText(downTopic, 'downTopic'),
      beaconInterval: optionalNumber(beaconInterval, 'beaconInterval'),
      beaconLife: optionalNumber(beaconLife, 'beaconLife'),
      dangerFirstContact: flag(dangerFirstContact, 'dangerFirstContact'),
    })
  }

  addSealed(name, { fleet, address, chipId } = {}) {
    return own(this).addSealed(
      text(name, 'name'),
      text(fleet, 'fleet'),
      optionalText(address, 'address'),
      optionalNumber(chipId, 'chipId'),
    )
  }

  setAddress(name, { address, chipId } = {}) {
    const given = [optionalText(address, 'address'), optionalNumber(chipId, 'chipId')]
    return own(this).setAddress(text(name, 'name'), ...given)
  }

  rename(name, newName) {
    own(this).rename(text(name, 'name'), text(newName, 'newName'))
  }

  revoke(name, { undo = false } = {}) {
    own(this).revoke(text(name, 'name'), !flag(undo, 'undo'))
  }

  remove(name, { only } = {}) {
    own(this).remove(text(name, 'name'), optionalText(only, 'only'))
  }

  rekey(name, { reached } = {}) {
    return own(this).rekey(text(name, 'name'), optionalNumber(reached, 'reached', 0xffff))
  }

  setMinimumEpoch(name, epoch) {
    own(this).setMinimumEpoch(text(name, 'name'), number(epoch, 'epoch', 0xffff))
  }
}

module.exports = { KeyringFile }
