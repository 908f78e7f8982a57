'use strict'

/**
 * A keyring of one group as TOML, out of what was typed in the editor. The library's own parser
 * checks it, and names what is wrong by its field.
 */
function keyringText(group, keys) {
  const lines = [
    'version = 1',
    `session_key = ${string(keys.sessionKey)}`,
    '[[classic_group]]',
    `name = ${string(group.name)}`,
    `topic = ${string(group.topic)}`,
    ...optional('session_topic', group.sessionTopic),
    `layout = ${string(group.layout)}`,
    `data = ${string(group.data)}`,
    ...optional('command_topic', group.commandTopic),
    ...optional('command_session_topic', group.commandSessionTopic),
    `allow_article_keys = ${group.allowArticleKeys === true}`,
    '[classic_group.keys]',
    ...Object.entries(KEYS).map(([name, field]) => `${field} = ${key(keys[name], keys.format)}`),
  ]
  for (const device of group.devices) {
    const address = group.layout === 'port' ? 'topic' : 'node_id'
    const classic = `group = ${string(group.name)}, ${address} = ${string(device.nodeId)}`
    lines.push('[[device]]', `name = ${string(device.name)}`, `classic = { ${classic} }`)
  }
  return lines.join('\n') + '\n'
}

const KEYS = {
  ivKey: 'iv_key',
  dataKey: 'data_key',
  staticIv: 'static_iv',
  passphrase: 'passphrase',
}

function optional(field, value) {
  return value ? [`${field} = ${string(value)}`] : []
}

function key(value, format) {
  return `{ ${format === 'text' ? 'text' : 'hex'} = ${string(value)} }`
}

/** JSON's escapes are TOML's, but for DEL. */
function string(value) {
  return JSON.stringify(String(value ?? '')).replaceAll('\x7f', '\\u007F')
}

module.exports = { keyringText }
