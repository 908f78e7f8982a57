'use strict'

const { KeyringFile } = require('../../lib')

const PATH = '/espseal/keyring/:id'

/** What the editor asks a keyring that is deployed, with Node-RED's own permissions. */
function addEndpoints(RED) {
  const reading = RED.auth.needsPermission('espseal.read')
  const writing = RED.auth.needsPermission('espseal.write')

  function answer(work) {
    return (request, response) => {
      const runtime = RED.nodes.getNode(request.params.id)?.runtime
      if (!runtime) {
        response
          .status(404)
          .json({ code: 'not_deployed', message: RED._('espseal-keyring.not-deployed') })
        return
      }
      try {
        work(runtime, request.body ?? {})
        response.json(describe(runtime))
      } catch (error) {
        response.status(400).json({ code: error.code ?? 'error', message: error.message })
      }
    }
  }

  RED.httpAdmin.get(
    PATH,
    reading,
    answer(() => {}),
  )
  RED.httpAdmin.post(`${PATH}/file`, writing, answer(createFile))
  RED.httpAdmin.post(`${PATH}/devices`, writing, answer(addDevice))
}

function createFile(runtime, { group, topic, sessionTopic }) {
  const file = KeyringFile.create(fileOf(runtime))
  file.addGroup(group, { topic, sessionTopic })
  runtime.load()
}

function addDevice(runtime, { name, group, address }) {
  const file = KeyringFile.open(fileOf(runtime))
  const { layout } = runtime.keyring.groups.find((each) => each.name === group) ?? {}
  file.addDevice(name, { group, [layout === 'port' ? 'topic' : 'nodeId']: address })
  runtime.load()
}

function fileOf(runtime) {
  if (runtime.file === null) {
    throw Object.assign(new Error('this keyring is no file'), { code: 'no_file' })
  }
  return runtime.file
}

/** No key is in it. */
function describe(runtime) {
  const { state, problem, source, file } = runtime
  const ready = state === 'ready'
  const { devices, groups, warnings } = ready ? runtime.keyring : NONE
  return {
    state,
    source,
    file,
    problem: problem && { code: problem.code ?? 'broken', message: problem.message },
    warnings,
    groups: groups.map(({ name, layout }) => ({ name, layout })),
    devices: devices.map((device) => ({
      name: device.name,
      format: 'classic',
      group: device.group,
      address: device.nodeId ?? device.topic,
      lastSeen: runtime.lastSeen(device.name),
    })),
  }
}

const NONE = { devices: [], groups: [], warnings: [] }

module.exports = { addEndpoints }
