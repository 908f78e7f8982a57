'use strict'

const { Keyring, KeyringFile } = require('../../lib')
const { Trouble } = require('./trouble')

const PATH = '/espseal/keyring/:id'
const FORMS = ['nodemcu', 'arduino', 'json']

/** What the editor asks a keyring that is deployed, with Node-RED's own permissions. */
function addEndpoints(RED) {
  const reading = RED.auth.needsPermission('espseal.read')
  const writing = RED.auth.needsPermission('espseal.write')

  function answer(work) {
    return (request, response) => {
      const runtime = RED.nodes.getNode(request.params.id)?.runtime
      if (!runtime) {
        const message = RED._('espseal-keyring.not-deployed')
        response.status(404).json({ code: 'not_deployed', message })
        return
      }
      try {
        const more = work(runtime, request.body ?? {}, request.params)
        response.json({ ...describe(runtime), ...more })
      } catch (error) {
        response.status(400).json({ code: error.code ?? 'error', message: error.message })
      }
    }
  }

  /** The file of a keyring, and what was made of it afterwards. */
  function changing(work) {
    return answer((runtime, body, params) => {
      if (runtime.file === null)
        throw new Trouble('not_a_file', RED._('espseal-keyring.not-a-file'))
      const after = work(runtime.file, body, params)
      runtime.load()
      return after?.(runtime)
    })
  }

  RED.httpAdmin.get(
    PATH,
    reading,
    answer(() => {}),
  )
  RED.httpAdmin.post(`${PATH}/file`, writing, changing(createFile))
  RED.httpAdmin.post(`${PATH}/devices`, writing, changing(addDevice))
  RED.httpAdmin.post(`${PATH}/devices/:name/revoke`, writing, changing(revoke))
}

function createFile(path, { group, topic, sessionTopic, fleet }) {
  const file = KeyringFile.create(path)
  file.addGroup(group, { topic, sessionTopic })
  if (fleet !== undefined) file.addFleet(fleet)
}

function addDevice(path, { name, group, fleet, address, format }) {
  const file = KeyringFile.open(path)
  if (fleet === undefined) {
    const isPort = Keyring.load(path).groups.some(
      (each) => each.name === group && each.layout === 'port',
    )
    file.addDevice(name, { group, [isPort ? 'topic' : 'nodeId']: address })
    return undefined
  }
  // Before anything is changed: afterwards the keys are offered once, or never.
  if (!FORMS.includes(format)) {
    throw new Trouble('invalid_argument', `format must be one of ${FORMS.join(', ')}`)
  }
  if (Keyring.load(path).fleets.length === 0) file.addFleet(fleet)
  file.addSealed(name, { fleet })
  return ({ keyring }) => ({ provision: keyring.provisioningFile(name, format) })
}

function revoke(path, _body, { name }) {
  KeyringFile.open(path).revoke(name)
}

/** No key is in it. */
function describe(runtime) {
  const { state, problem, source, file } = runtime
  const { devices, groups, fleets, warnings } = state === 'ready' ? runtime.keyring : NONE
  return {
    state,
    source,
    file,
    problem: problem && { code: problem.code ?? 'broken', message: problem.message },
    warnings,
    groups: groups.map(({ name, layout }) => ({ name, layout })),
    fleets: fleets.map(({ name }) => ({ name })),
    devices: devices.map((device) => ({
      name: device.name,
      formats: [device.group && 'classic', device.fleet && 'sealed'].filter(Boolean),
      addresses: [device.nodeId ?? device.topic, device.address].filter((each) => each !== null),
      revoked: device.revoked,
      ...runtime.seen(device),
    })),
  }
}

const NONE = { devices: [], groups: [], fleets: [], warnings: [] }

module.exports = { addEndpoints }
