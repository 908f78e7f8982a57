// Compiled by tsc, never run: what a program in TypeScript may and may not write.
import {
  classic,
  Columns,
  Device,
  EspsealError,
  inspect,
  Keyring,
  KeyringFile,
  Message,
  Publication,
  Receiver,
  Rejected,
  Sender,
  Store,
  Verdict,
  VERDICTS,
  backend,
  version,
} from '@espseal/node-red-espseal'

const keyring: Keyring = Keyring.load(null, { allowWidePermissions: true })
const store: Store = Store.sqlite('state.sqlite3', { durability: 'power' })
const receiver = new Receiver(keyring, store, { authority: false })

const message: Message = receiver.open(new Uint8Array(3), { topic: 'a/b', retained: true })
const inJson = receiver.open({ type: 'Buffer', data: [1, 2] }, { raiseRejected: true })
const data: Buffer | null = message.data
const text: string | null = inJson.text
const columns: Columns = receiver.openMany(['frame', Buffer.of(1)], { topic: 'a/b' })
const places: Uint8Array = columns.verdicts
const word: Verdict = VERDICTS[places[0] ?? 0] ?? Verdict.MALFORMED
const due: number | null = receiver.nextDue
const fresh: number = receiver.counts.fresh
const heard: boolean = receiver.hear('id', { topic: 'session' })
const publications: Publication[] = receiver.publications()
const qos: 0 | 1 | 2 = publications[0]?.qos ?? 0
const command: Publication = new Sender(keyring, store).seal('lamp', 'on')
const frame: Buffer = Device.fromKeyring(keyring, 'lamp').seal('1', { to: 'B' })
const keys = classic.ClassicKeys.generate()
KeyringFile.create().addGroup('house', { topic: 'a/+', sessionTopic: 'a/session', keys })
const node: Buffer | null = classic.open(frame, keys, [], { layout: 'port' }).node
const group: string | null | undefined = inspect(frame, { keyring, store }).findings[0]?.group
const name: 'native' = backend()
const release: string = version()

/** A switch over the verdicts that the compiler checks for completeness. */
function advice(verdict: Verdict): string {
  switch (verdict) {
    case 'fresh':
      return 'use it'
    case 'duplicate':
    case 'replayed':
    case 'stale_session':
    case 'downgraded':
      return 'ignore it'
    case 'malformed':
    case 'wrong_direction':
    case 'unknown_device':
    case 'revoked':
    case 'wrong_epoch':
    case 'forged':
      return 'look into it'
    default:
      return verdict satisfies never
  }
}

try {
  receiver.open('frame', { raiseRejected: true })
} catch (error) {
  if (error instanceof Rejected) advice(error.rejected.verdict)
  else console.error((error as EspsealError).code, (error as EspsealError).field)
}

// @ts-expect-error: made by its factories only
new Keyring()
// @ts-expect-error: a number is no payload
receiver.open(5)
// @ts-expect-error: no such option
receiver.open('frame', { qos: 1 })
// @ts-expect-error: a reading may be missing
message.data.length
// @ts-expect-error: read-only
message.verdict = 'fresh'
// @ts-expect-error: no such verdict
advice('ok')
// @ts-expect-error: a topic is needed
receiver.hear('id')
// @ts-expect-error: no such layout
classic.seal(keys, '1', 'data', 'session', { layout: 'json' })

export { data, text, word, due, fresh, heard, qos, command, node, group, name, release }
