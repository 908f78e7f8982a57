'use strict'

// How fast classic frames are opened, as ratios of one run (an absolute time here is noise).
//
// The same frames go through four receivers, in turns, and the best round of each counts:
// `receiver.open` and `receiver.openMany` of espseal, memory store, with everything that a
// receiver does; and the article's receiver, repaired (it strips the padding, compares the MAC in
// constant time, and remembers nothing), on node:crypto and on crypto-js.

const crypto = require('node:crypto')
const CryptoJS = require('crypto-js')
const { Device, Keyring, Receiver, Store } = require('..')

const DEVICES = 100
const FRAMES = 500
const ROUNDS = 60
const SLOW_ROUNDS = 3
const DATA = 'twenty bytes of data'
const TOPIC = 'sensors/kitchen'
const KEYS = {
  iv_key: 'bench only iv ke',
  data_key: 'bench only datak',
  static_iv: 'bench only stati',
  passphrase: 'bench only passphrase',
}
// The ratios that this project promises, over node:crypto.
const PROMISED = { open: 10, openMany: 20 }

function keyringText() {
  const keys = Object.entries(KEYS).map(([name, text]) => `${name} = { text = "${text}" }`)
  const devices = Array.from({ length: DEVICES }, (_, number) => [
    '[[device]]',
    `name = "d${number}"`,
    `classic = { group = "bench", node_id = "${number}" }`,
  ])
  return [
    'version = 1',
    `session_key = "${'00112233445566778899aabbccddeeff'.repeat(2)}"`,
    '[[classic_group]]',
    'name = "bench"',
    'topic = "sensors/+"',
    'session_topic = "sensors/session"',
    '[classic_group.keys]',
    ...keys,
    ...devices.flat(),
  ].join('\n')
}

/** The article's receiver, repaired, on node:crypto. */
function onNodeCrypto(payload, session) {
  const [encIv, encNode, encData, mac] = payload
    .toString('latin1')
    .split(',')
    .map((field) => Buffer.from(field, 'hex'))
  const iv = decrypt(KEYS.iv_key, KEYS.static_iv, encIv)
  const node = strip(decrypt(KEYS.data_key, iv, encNode))
  const data = strip(decrypt(KEYS.data_key, iv, encData))
  const hmac = crypto.createHmac('sha1', KEYS.passphrase)
  hmac.update(node).update(iv).update(data).update(session)
  return crypto.timingSafeEqual(hmac.digest(), mac) ? data : null
}

function decrypt(key, iv, text) {
  const decipher = crypto.createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
  return Buffer.concat([decipher.update(text), decipher.final()])
}

function strip(padded) {
  let end = padded.length
  while (end > 0 && padded[end - 1] === 0) end--
  return padded.subarray(0, end)
}

/** The same on crypto-js, which the article's reader on Node-RED would find first. */
function onCryptoJs(payload, session) {
  const { AES, HmacSHA1, enc, pad } = CryptoJS
  const words = (text) => enc.Latin1.parse(text)
  const open = (key, iv, field) =>
    AES.decrypt({ ciphertext: enc.Hex.parse(field) }, words(key), { iv, padding: pad.ZeroPadding })
  const [encIv, encNode, encData, mac] = payload.toString('latin1').split(',')
  const { NoPadding } = pad
  const iv = AES.decrypt({ ciphertext: enc.Hex.parse(encIv) }, words(KEYS.iv_key), {
    iv: words(KEYS.static_iv),
    padding: NoPadding,
  })
  const node = open(KEYS.data_key, iv, encNode)
  const data = open(KEYS.data_key, iv, encData)
  const signed = node
    .concat(iv)
    .concat(data)
    .concat(words(session.toString('latin1')))
  const digest = HmacSHA1(signed, words(KEYS.passphrase)).toString(enc.Hex)
  const same = crypto.timingSafeEqual(Buffer.from(digest), Buffer.from(mac))
  return same ? Buffer.from(data.toString(enc.Hex), 'hex') : null
}

function main() {
  const keyring = Keyring.parse(keyringText())
  const senders = Array.from({ length: DEVICES }, (_, number) =>
    Device.fromKeyring(keyring, `d${number}`),
  )
  const sealed = () => Array.from({ length: FRAMES }, (_, at) => senders[at % DEVICES].seal(DATA))
  const each = (open) => (frames, receiver, session) => {
    for (const frame of frames) {
      if (open(frame, receiver, session) === null) throw new Error('a good frame was refused')
    }
  }
  const works = {
    open: each((frame, receiver) => receiver.open(frame, { topic: TOPIC }).data),
    openMany(frames, receiver) {
      const { data } = receiver.openMany(frames, { topic: TOPIC })
      if (data.length !== DATA.length * FRAMES) throw new Error('a good frame was refused')
    },
    'node:crypto': each((frame, _, session) => onNodeCrypto(frame, session)),
    'crypto-js': each((frame, _, session) => onCryptoJs(frame, session)),
  }
  const best = Object.fromEntries(Object.keys(works).map((name) => [name, Infinity]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, work] of Object.entries(works)) {
      if (name === 'crypto-js' && round >= SLOW_ROUNDS) continue
      // A receiver that has heard of all its devices, and whose memory grows no more.
      const receiver = new Receiver(keyring, Store.memory())
      const [{ payload: session }] = receiver.publications()
      for (const sender of senders) sender.hear(session)
      receiver.openMany(sealed(), { topic: TOPIC })
      const frames = sealed()
      for (const opened of [onNodeCrypto(frames[0], session), onCryptoJs(frames[0], session)]) {
        if (opened?.toString() !== DATA) throw new Error('the comparison opens no good frame')
      }
      const start = process.hrtime.bigint()
      work(frames, receiver, session)
      const taken = Number(process.hrtime.bigint() - start)
      best[name] = Math.min(best[name], taken)
    }
  }

  console.log(`Opening a classic hex frame of 20 bytes of data, from Node; ${DEVICES} devices:`)
  let fellShort = false
  for (const [name, promised] of Object.entries(PROMISED)) {
    const ratio = best['node:crypto'] / best[name]
    const other = best['crypto-js'] / best[name]
    fellShort ||= ratio < promised
    console.log(
      `  ${name.padEnd(8)} ${ratio.toFixed(1).padStart(5)} times as fast as the article's receiver ` +
        `on node:crypto (at least ${promised}), ${other.toFixed(0)} times as on crypto-js`,
    )
  }
  return fellShort ? 1 : 0
}

process.exitCode = main()
