/// <reference types="node" />

/**
 * Bytes: any view of memory, a string as UTF-8, or what a Buffer becomes in JSON.
 */
export type Bytes = Uint8Array | NodeJS.ArrayBufferView | string | BufferInJson

export interface BufferInJson {
  type: 'Buffer'
  data: number[]
}

/** What a receiver says of a frame: a closed list. README.md says what to do about each. */
export type Verdict =
  | 'malformed'
  | 'wrong_direction'
  | 'unknown_device'
  | 'revoked'
  | 'wrong_epoch'
  | 'forged'
  | 'stale_session'
  | 'downgraded'
  | 'replayed'
  | 'duplicate'
  | 'fresh'

/** The words by name: `Verdict.STALE_SESSION` is `'stale_session'`. */
export const Verdict: { readonly [Name in Verdict as Uppercase<Name>]: Name }

/** Every verdict, in the order in which they are decided; `Columns.verdicts` counts in it. */
export const VERDICTS: readonly Verdict[]

/** How the frames of a group look on the wire. */
export type Layout = 'hex' | 'raw' | 'port'
/** Whether readings may end in zero bytes. */
export type DataMode = 'text' | 'binary'
/** What the MAC covers. */
export type MacOver = 'unpadded' | 'padded'

/**
 * What the caller did wrong, or what the system refused. Every error of this package has a
 * stable `code`; its message says what to do.
 */
export interface EspsealError extends Error {
  /**
   * `invalid_argument`; of a keyring: `io`, `no_file`, `already_exists`, `wide_permissions`,
   * `syntax`, `unsupported_version`, `missing_field`, `unknown_field`, `invalid_value`,
   * `wrong_key_length`, `article_keys`, `duplicate_name`, `duplicate_address`, `no_group`,
   * `no_fleet`, `no_format`, `unknown_name`; of a store: `read_only`, `disk_full`, `locked`, `corrupt`,
   * `newer_schema`, `not_a_store`, `moved`, `io`, `store_failed`; of sealing: `data_ends_in_nul`,
   * `frame_too_long`, `invalid_node_id`, `session_required`, `no_session` and the like; of a
   * device's state: `in_use`, `state_missing` and the like; `wrong_format`; `random`;
   * `rejected`; `no_backend`.
   */
  code: string
  /** Of a keyring: its file, or null if it came from none. */
  file?: string | null
  /** Of a keyring: the line, from 1. */
  line?: number | null
  /** Of a keyring: the field with its table, like `classic_group.iv_key`. */
  field?: string | null
  /** Of `openMany`: what was opened before the store failed. */
  opened?: Columns
}

/** The devices and their keys: the file that people decide (read-only here). */
export class Keyring {
  private constructor()

  /**
   * Reads a keyring file.
   *
   * @param path default `$ESPSEAL_KEYRING`, else `~/.config/espseal/keyring.toml`
   * @param options.allowWidePermissions take a file that others can read
   * @throws {EspsealError} with `file`, `line` and `field`
   */
  static load(path?: string | null, options?: { allowWidePermissions?: boolean }): Keyring
  /** Reads a keyring from its TOML text. Throws as `load` does. */
  static parse(toml: string): Keyring
  /** The file that it came from. */
  get path(): string | null
  /** Every device, in the order of the file; `Columns.devices` counts in it. */
  get devices(): DeviceEntry[]
  /** Every classic group, in the order of the file. */
  get groups(): GroupEntry[]
  /** Every fleet, in the order of the file. */
  get fleets(): FleetEntry[]
  /** The topic filters on which sealed devices say hello. */
  get helloFilters(): string[]
  /** The topic filters on which sealed devices hear welcomes and commands: no reading is there. */
  get downFilters(): string[]
  /**
   * What a sealed device has to be given. It holds the device's key.
   *
   * @throws {EspsealError} `unknown_name`, `not_sealed`, or `revoked`
   */
  provision(name: string): Provision
  /**
   * The file that a sealed device is given, and what the device wants it to be called. The key is
   * in it: it belongs into files of mode 0600 alone.
   *
   * @param form what the device reads
   * @param settings what it connects to, by the words of the file, like `wifi_ssid` and
   *   `mqtt_host`; what a firmware cannot do without has a place to be filled in
   * @throws {EspsealError} as `provision`, or `invalid_value`: no setting is called so
   */
  provisioningFile(
    name: string,
    form: 'nodemcu' | 'arduino' | 'json',
    settings?: Record<string, string | number>,
  ): { file: string; text: string }
  /** What is allowed but dangerous, one sentence each. */
  get warnings(): string[]
}

/** One device of a keyring. No keys. */
export interface DeviceEntry {
  name: string
  /** The classic group that it is in. */
  group: string | null
  /** Its node ID; bytes that are not printable ASCII as `\xNN`. Null in layout port. */
  nodeId: string | null
  /** In layout port, the topic that names it. */
  topic: string | null
  /** Where commands to it go, if its group has a place for them. */
  commandTopic: string | null
  /** Where it shows the sessions that it draws for commands. */
  commandSessionTopic: string | null
  /** The fleet that it is in. A device that migrates has a group and a fleet. */
  fleet: string | null
  /** Its address in sealed frames, 16 hex digits. */
  address: string | null
  /** Where a sealed one hears welcomes and commands. */
  downTopic: string | null
  /** The epoch below which nothing sealed is accepted of it. */
  minimumEpoch: number | null
  /** Whether all its sealed frames are refused. */
  revoked: boolean
  /** Whether its key is its own, not derived from the fleet's. */
  ownKey: boolean
}

/** One classic group of a keyring. No keys. */
export interface GroupEntry {
  name: string
  /** The topic filter of the readings. */
  topic: string
  /** Where session IDs are published, if there are any. */
  sessionTopic: string | null
  layout: Layout
  data: DataMode
  mac: MacOver
  /** How many devices it has. */
  devices: number
}

/** One fleet of a keyring. No keys. */
export interface FleetEntry {
  name: string
  /** Where the beacon's sessions are published. */
  beaconTopic: string
  /** The topic filter of the devices' readings. */
  upFilter: string
  /** The topic filter of the devices' hellos. */
  helloFilter: string
  /** Whether a device's first frame is believed without a beacon. */
  dangerFirstContact: boolean
  /** How many devices it has. */
  devices: number
}

/** What a sealed device holds: never the fleet key. */
export interface Provision {
  name: string
  /** 16 hex digits. */
  address: string
  /** The key of `epoch`. It belongs into files of mode 0600 alone. */
  deviceKey: sealed.DeviceKey
  /** The first epoch that is accepted of it. */
  epoch: number
  upTopic: string
  helloTopic: string
  downTopic: string
  beaconTopic: string
}

/** Changes a keyring file in place: locked, atomic, its comments kept. */
export class KeyringFile {
  private constructor()

  /** `$ESPSEAL_KEYRING`, else `~/.config/espseal/keyring.toml`. */
  static get defaultPath(): string
  /**
   * Writes a new keyring with a new session key, mode 0600, and its folders.
   *
   * @throws {EspsealError} `already_exists`, or it cannot be written (`io`)
   */
  static create(path?: string | null): KeyringFile
  /** Opens a keyring that is valid. Throws as `Keyring.load` does. */
  static open(path?: string | null): KeyringFile
  get path(): string
  /**
   * Appends a classic group; without `keys` new ones are drawn. Only layout `port` and
   * `dangerAcceptReplays` go without a `sessionTopic`.
   *
   * @throws {EspsealError} if the keyring would no longer be valid; the file is left as it was
   */
  addGroup(
    name: string,
    options: {
      topic: string
      sessionTopic?: string | null
      layout?: Layout
      data?: DataMode
      mac?: MacOver
      policy?: 'pool' | 'strict'
      /** Seconds between two session IDs. */
      sessionInterval?: number | null
      /** Seconds that each is good for. */
      sessionLife?: number | null
      /** With `{node_id}` in it, as `commandSessionTopic`. */
      commandTopic?: string | null
      commandSessionTopic?: string | null
      keys?: classic.ClassicKeys
      dangerAcceptReplays?: boolean
      allowArticleKeys?: boolean
    },
  ): void
  /**
   * Appends a classic device: by its `nodeId`, or in layout `port` by its `topic`.
   *
   * @throws {EspsealError} if the keyring would no longer be valid; the file is left as it was
   */
  addDevice(
    name: string,
    options: { group: string; nodeId?: string | null; topic?: string | null },
  ): void
  /**
   * Appends a fleet with a new key.
   *
   * @throws {EspsealError} if the keyring would no longer be valid; the file is left as it was
   */
  addFleet(
    name: string,
    options?: {
      beaconTopic?: string | null
      /** With `{address}` as one of its levels, as `helloTopic` and `downTopic`. */
      upTopic?: string | null
      helloTopic?: string | null
      downTopic?: string | null
      /** Seconds between two beacon sessions. */
      beaconInterval?: number | null
      /** Seconds that each is good for. */
      beaconLife?: number | null
      dangerFirstContact?: boolean
    },
  ): void
  /**
   * Gives a device a place in a fleet: a new one, or a classic one that migrates.
   *
   * @param options.address 16 hex digits; default 8 random bytes
   * @param options.chipId the chip's ID, which is interleaved with 4 random bytes
   * @returns its address
   */
  addSealed(
    name: string,
    options: { fleet: string; address?: string | null; chipId?: number | null },
  ): string
  /** Gives a sealed device another address, and with it another key unless that is its own. */
  setAddress(name: string, options?: { address?: string | null; chipId?: number | null }): string
  /** Gives a device another name. Its address, its keys and what is known of it stay. */
  rename(name: string, newName: string): void
  /** Has all sealed frames of a device refused; `undo` takes that back. */
  revoke(name: string, options?: { undo?: boolean }): void
  /** Takes a device out of the keyring, or only one of its two sides. */
  remove(name: string, options?: { only?: 'classic' | 'sealed' | null }): void
  /**
   * Draws a new key for a device alone; it has to be provisioned anew.
   *
   * @param options.reached the highest epoch that the store has seen of it
   * @returns the new minimum epoch: nothing of the old key is accepted any more
   */
  rekey(name: string, options?: { reached?: number | null }): number
  /** Refuses the device's keys of all epochs below this one. It is never lowered. */
  setMinimumEpoch(name: string, epoch: number): void
}

/** Where a receiver keeps what it learns. Several receivers may share one. */
export class Store {
  private constructor()

  /** A store that lives as long as the process. */
  static memory(): Store
  /**
   * A store in an SQLite file: it outlives the process, and several may share it.
   *
   * @param path the file, made if it is missing, mode 0600; default
   *   `~/.local/state/espseal/state.sqlite3`. It belongs on a local disk.
   * @param options.durability `process` survives the end of the process at any instant;
   *   `power` survives a power cut too, and waits for the disk at every frame
   * @throws {EspsealError} with the file and what to do; the file is left as it was
   */
  static sqlite(path?: string | null, options?: { durability?: 'process' | 'power' }): Store
  /**
   * Says that this store is a copy of what it was, as a backup is: sealed devices are met anew,
   * and what was accepted since the copy was made is never accepted again. Before a receiver
   * uses the copy.
   */
  markRestored(): void
  /**
   * What the frames of a sealed device have taught; null if none was fresh yet.
   *
   * @param address 16 hex digits
   */
  sealedDevice(address: string): SealedDeviceState | null
  /** How many frames got each verdict since the store was made, a few seconds late. */
  get counts(): Record<Verdict, number>
  /** The file, or null in memory. */
  get path(): string | null
}

/** What a store knows of a sealed device. */
export interface SealedDeviceState {
  /** The highest epoch verified. */
  epoch: number
  /** The highest counter accepted. */
  head: bigint
  /** When its last fresh frame came, in Unix seconds. */
  lastSeen: number
}

/**
 * A frame and what the receiver says of it.
 *
 * What the verdict does not reach is null; until a frame has verified, nothing in it is
 * believed, so `device` and `nodeId` are null too.
 */
export class Message {
  private constructor()

  readonly verdict: Verdict
  /** The device's name in the keyring. */
  readonly device: string | null
  /** The verified node ID; bytes that are not printable ASCII as `\xNN`. */
  readonly nodeId: string | null
  /** The classic group whose keys verified the frame. */
  readonly group: string | null
  /** What the data is for. A classic frame carries `data` alone: readings and commands. */
  readonly kind: 'data' | 'hello' | 'control'
  /** The address of a sealed frame, 16 lower-case hex digits; null for a classic one. */
  readonly address: string | null
  /** The counter of a sealed frame; null for a classic one. */
  readonly counter: bigint | null
  /** How often the key of a sealed frame was ratcheted; null for a classic one. */
  readonly epoch: number | null
  /**
   * Whether it is newer than everything accepted of its device before, as far as the format
   * tells: true for every fresh classic frame, whose order nothing proves.
   */
  readonly advanced: boolean
  /** Whether it verified under a session, live or expired. */
  readonly sessionBound: boolean
  /** The reading. Not null exactly when the verdict is `fresh` and `kind` is `data`. */
  readonly data: Buffer | null
  /** The topic that was given. */
  readonly topic: string | null
  /** The MQTT retain flag that was given. */
  readonly retained: boolean
  /** False when `danger_accept_replays` let a frame without a session in. */
  readonly replayProtected: boolean
  /** Of a control frame that tells it: the mode that the device is in. */
  readonly mode: number | null
  /**
   * Of a control frame that acknowledges, fresh or a `duplicate`: the `tag` of the publication that
   * arrived.
   */
  readonly acknowledged: string | null
  /** One sentence for a person: why this verdict, and what to do. No data and no key. */
  readonly reason: string
  /** `data` as UTF-8, undecodable bytes replaced. */
  get text(): string | null
  /**
   * Says, with `delivery: 'at_least_once'`, that the reading is stored: only then is it
   * remembered, and MQTT's acknowledgement should follow. Otherwise it does nothing.
   *
   * @throws {EspsealError} the store failed: say so again
   */
  done(): void
}

/** A message whose verdict is not `fresh`; thrown only with `raiseRejected`. */
export class Rejected extends Error {
  constructor(rejected: Message)

  readonly code: 'rejected'
  readonly verdict: Verdict
  /** The message itself. */
  readonly rejected: Message
}

/** What an adapter publishes for the receiver or the sender. */
export interface Publication {
  topic: string
  payload: Buffer
  qos: 0 | 1 | 2
  retain: boolean
  /** Of a sealed frame: by which its acknowledgement names it, 32 lower-case hex digits. */
  tag: string | null
}

/** What became of many frames: a row for each, in their order. */
export interface Columns {
  /** Places in `VERDICTS`. */
  verdicts: Uint8Array
  /** Places in `Keyring.devices`; -1 for none. */
  devices: Int32Array
  /** The readings, end to end. */
  data: Buffer
  /** Row n's reading is `data.subarray(offsets[n], offsets[n + 1])`; one more than rows. */
  offsets: Uint32Array
}

/** Opens uplinks, mints session IDs and beacons, welcomes sealed devices. */
export class Receiver {
  /**
   * @param keyring whom to believe
   * @param store what was learnt
   * @param options.authority true (the default) publishes session IDs and beacons; false follows
   *   those of another receiver
   * @param options.delivery of the readings of sealed devices. `at_most_once` (the default)
   *   remembers one, then hands it over; `at_least_once` remembers it when `message.done()` says
   *   so, and after a crash before that hands it over again. Classic ones are always remembered
   *   first.
   */
  constructor(
    keyring: Keyring,
    store: Store,
    options?: { authority?: boolean; delivery?: 'at_most_once' | 'at_least_once' },
  )

  /**
   * Opens one frame. Never throws for what a peer sent, unless asked.
   *
   * @param payload the MQTT payload
   * @param options.topic the topic it came on; selects the groups whose filter matches.
   *   Without it every group is tried.
   * @param options.retained the MQTT retain flag; it only relabels what is refused anyway
   * @param options.raiseRejected throw `Rejected` for every verdict but `fresh`
   * @throws {EspsealError} the store failed, or too many messages of this device wait for
   *   `done` (`not_done`): the frame was not accepted and may be given again
   */
  open(
    payload: Bytes,
    options?: { topic?: string | null; retained?: boolean; raiseRejected?: boolean },
  ): Message
  /**
   * Opens many frames at once, all of one topic. Fast: no object for each. At most once only.
   *
   * @throws {EspsealError} the store failed; `opened` has the columns of those before it
   */
  openMany(
    frames: readonly Bytes[],
    options?: { topic?: string | null; retained?: boolean },
  ): Columns
  /**
   * Takes a message of a session or beacon topic (see `subscriptions`): a false ID is answered
   * with the true one at the next `publications`.
   *
   * @param options.retained the MQTT retain flag: an authority gives way to a live one, and a
   *   retained ID says nothing about who is
   * @returns whether the topic was one; if not, the message is for `open`
   */
  hear(payload: Bytes, options: { topic: string; retained?: boolean }): boolean
  /**
   * Mints the session IDs and beacons that are due and returns what to publish now, in order:
   * those, welcomes to sealed devices, and empty messages that ask for a hello. After each `open`
   * something may be due.
   */
  publications(): Publication[]
  /** Call after each (re)connection: the current session IDs are published again. */
  reconnected(): void
  /**
   * Milliseconds (0 or more) until `publications` has something new; null for never, as with a
   * follower. `hear`, `open` (policy `strict`) and `reconnected` may bring it forward.
   */
  get nextDue(): number | null
  /** The filters of the readings: subscribe to them and pass their messages to `open`. */
  get readingFilters(): string[]
  /**
   * The session and beacon topics, and the filters of the hellos: subscribe to them and pass
   * their messages to `hear`, and what that does not know to `open`.
   */
  get subscriptions(): string[]
  get delivery(): 'at_most_once' | 'at_least_once'
  get keyring(): Keyring
  /** How many frames got each verdict since this receiver was made. */
  get counts(): Record<Verdict, number>
  /** How many payloads of the session and beacon topics were no ID of this keyring. */
  get falseSessions(): number
  /** How many verified hellos and control frames said nothing that this version knows. */
  get unreadableBodies(): number
  /** What keeps it from taking session IDs, in one sentence, like a wrong clock. */
  get trouble(): string | null
}

/**
 * Seals commands.
 *
 * A sealed device takes them under the session that it acknowledged last, from hosts on the store
 * of the fleet's authority. A classic one, whose group has a `command_topic`, draws sessions and
 * shows them, retained, on its command-session topic; each is good for one command. One that has
 * both formats gets classic commands until its first sealed frame came.
 */
export class Sender {
  constructor(keyring: Keyring, store: Store)

  /**
   * The command-session topics of classic devices: subscribe to them and pass their messages to
   * `hear`.
   */
  get subscriptions(): string[]
  /**
   * Takes a message of a command-session topic.
   *
   * @returns whether the topic was one
   */
  hear(payload: Bytes, options: { topic: string }): boolean
  /** Whether a command to this device can be sealed now. Throws `unknown_name`. */
  isReady(device: string): boolean
  /**
   * Seals one command. Of a sealed device the acknowledgement names its `tag`
   * (`message.acknowledged`); of a classic one it uses up the session that the node shows.
   *
   * @throws {EspsealError} `unknown_name`, `missing_field` (its group has no command topics),
   *   `no_session`, `not_authority`, `revoked`, `counter_exhausted`, what the frame cannot carry,
   *   or the store failed: nothing was sealed
   */
  seal(device: string, data: Bytes): Publication
  /**
   * The `tag` of the publication that a device acknowledges with this uplink, null if it is no
   * such one. For a process beside the receiver: nothing is remembered or accepted.
   */
  acknowledges(payload: Bytes): string | null
  /**
   * Asks a sealed device to ratchet its key once. Nothing changes here until its first frame of
   * the new epoch comes. Throws as `seal`, or `epoch_exhausted`, or `wrong_format`.
   */
  ratchet(device: string): Publication
  /** Asks a sealed device for its mode (`message.mode`). Throws as `ratchet`. */
  queryMode(device: string): Publication
  /** Puts a sealed device into a mode, 0 to 255. Throws as `ratchet`. */
  setMode(device: string, mode: number): Publication
}

/** How a device is made; the times in milliseconds. */
export interface DeviceOptions {
  /** The state file of a sealed device: its counter, its epoch and its key. */
  state?: string | null
  /** What its hello calls its firmware. */
  firmware?: string | null
  /** How long readings wait for the host's welcome; default 10 s. */
  hold?: number
  /** How much time passes from one session to the next; default 10 min. */
  helloInterval?: number
}

/**
 * A device's own end, for tests, simulators and Linux devices.
 *
 * A classic one seals readings under the session that it heard last, and opens commands.
 *
 * A sealed one is run by its publications. After each connect call `reconnected` and subscribe to
 * `subscriptions`; give the messages of `beaconTopic` to `hear` and those of `downTopic` to
 * `open`; after each, and when `nextDue` says so, publish what `publications` gives. Readings go
 * there with `send`.
 */
export class Device {
  private constructor()

  /**
   * Reads a device file: of a sealed device the JSON that it was provisioned with, of a classic
   * one TOML, for which `path` alone matters. A sealed device keeps its state in
   * `options.state`, without it in `<path>.state`, which one process uses at a time.
   */
  static load(path: string, options?: DeviceOptions): Device
  /**
   * Takes the keys of a device out of a keyring. For tests and simulators.
   *
   * @param options.format of a device that has both; without it sealed, if it can be
   * @throws {EspsealError} `unknown_name`, `wrong_format`, or the state file cannot be used
   */
  static fromKeyring(
    keyring: Keyring,
    name: string,
    options?: DeviceOptions & { format?: 'classic' | 'sealed' | null },
  ): Device
  get name(): string
  get format(): 'classic' | 'sealed'
  /** What the frames of a sealed one carry, 16 hex digits. */
  get address(): string | null
  /** How many ratchet steps the key of a sealed one has made. */
  get epoch(): number | null
  /** Where its readings go; for a classic one, if its file says so. */
  get topic(): string | null
  /** Where a classic one hears session IDs, if it needs any. */
  get sessionTopic(): string | null
  /** Where the hellos of a sealed one go. */
  get helloTopic(): string | null
  /** Where a sealed one gets what `open` takes. */
  get downTopic(): string | null
  /** Where a sealed one gets what `hear` takes. */
  get beaconTopic(): string | null
  /** What to subscribe to after each connect. */
  get subscriptions(): string[]
  /** Whether the host has welcomed a sealed one since it started. */
  get isWelcomed(): boolean
  /** The mode that the host set last, 0 to 255; the application says what it means. */
  get mode(): number
  /** Goes into a mode by itself. Throws `wrong_format` for a classic device. */
  setMode(mode: number): void
  /** How many verified control frames said what this version does not know. */
  get ignored(): number
  /** What a person should do, in one sentence; null if nothing. */
  get trouble(): string | null
  /** Takes a session off the session or beacon topic; false (and ignored) if it is none. */
  hear(payload: Bytes): boolean
  /**
   * Seals one reading, or a message to the classic node `to`, under the session heard last.
   *
   * @throws {EspsealError} `no_session`, `not_welcomed`, what the frame cannot carry, or the
   *   counter cannot be kept
   */
  seal(data: Bytes, options?: { to?: Bytes }): Buffer
  /**
   * Puts a reading of a sealed device into its outbox: `publications` gives it, sealed, once the
   * device is welcomed, or has waited for that as long as `hold` says.
   *
   * @throws {EspsealError} `frame_too_long`, `outbox_full`, or `wrong_format`
   */
  send(data: Bytes): void
  /**
   * Draws a session for one command to a classic device: 32 hex digits to publish, retained, on
   * its command-session topic. The one drawn before stays good too.
   */
  drawCommandSession(): Buffer
  /**
   * Opens a command, or to a classic device a message of another node (then `nodeId` says
   * whose). Never throws for what a peer sent. What a sealed device takes without handing it on
   * (a welcome, a ratchet, a mode) is `fresh`, too, and has no data.
   */
  open(payload: Bytes, options?: { topic?: string | null }): Message
  /** What a sealed device has to publish now; given once. */
  publications(): Publication[]
  /** Milliseconds until `publications` has something; null for never. */
  get nextDue(): number | null
  /** Says that MQTT is connected, after each connect: a sealed device greets its host. */
  reconnected(): void
}

/** Stateless: what the vectors test. */
export namespace classic {
  /** The four keys of the classic frame. Throws `wrong_key_length`. */
  class ClassicKeys {
    /**
     * @param keys.ivKey AES key of the encrypted IV, 16, 24 or 32 bytes
     * @param keys.dataKey AES key of node ID and data, 16, 24 or 32 bytes
     * @param keys.staticIv IV of the encrypted IV, 16 bytes
     * @param keys.passphrase HMAC-SHA1 key, at least 1 byte
     */
    constructor(keys: { ivKey: Bytes; dataKey: Bytes; staticIv: Bytes; passphrase: Bytes })

    /** Draws four new keys from the operating system: 16, 16, 16 and 32 bytes. */
    static generate(): ClassicKeys
  }

  /** How a group's frames are made, in the keyring's words. */
  interface Scheme {
    layout?: Layout
    data?: DataMode
    mac?: MacOver
    dangerAcceptReplays?: boolean
  }

  interface Opened {
    /** There is no state to tell more. */
    verdict: 'fresh' | 'malformed' | 'forged'
    /** The node field, its padding stripped. */
    node: Buffer | null
    data: Buffer | null
    /** Which of the sessions fits. */
    session: number | null
    /** Why the bytes are no frame, as one word. */
    malformed: string | null
    /** Where, in bytes from 0. */
    offset: number | null
  }

  /**
   * Opens a frame under one key set.
   *
   * @param sessions the exact bytes that enter the MAC, one or more; none in layout port
   */
  function open(
    frame: Bytes,
    keys: ClassicKeys,
    sessions: readonly Bytes[],
    scheme?: Scheme,
  ): Opened
  /** Seals a frame. `node` is the node field: a node ID, `>` and a node ID, or two with `>`. */
  function seal(
    keys: ClassicKeys,
    node: Bytes,
    data: Bytes,
    session: Bytes,
    scheme?: Scheme,
  ): Buffer
  /**
   * `seal` with an IV of the caller's, 16 bytes. An IV that repeats shows which readings are
   * equal: only for vectors.
   */
  function dangerSealWithIv(
    keys: ClassicKeys,
    node: Bytes,
    data: Bytes,
    session: Bytes,
    iv: Bytes,
    scheme?: Scheme,
  ): Buffer
  /** Whether a payload is a session ID that this key of 32 bytes made. */
  function sessionIdIsValid(sessionKey: Bytes, payload: Bytes): boolean
}

/** The sealed frame without state: a counter must never be used twice for one key. */
export namespace sealed {
  type Direction = 'uplink' | 'downlink'
  type Kind = 'data' | 'hello' | 'control'

  /** The key of a device in one epoch. Throws `wrong_key_length`. */
  class DeviceKey {
    /** @param key 32 bytes */
    constructor(key: Bytes)

    /** The key of epoch 0, derived from the fleet's (32 bytes) and the address (16 hex digits). */
    static ofFleet(fleetKey: Bytes, address: string): DeviceKey
    /** The key so many epochs later; default 1. */
    ratchet(steps?: number): DeviceKey
    /** The raw bytes: to provision a device, and for nothing else. */
    expose(): Buffer
  }

  /** Without a verified tag nothing of the header is told. */
  interface Opened {
    /** There is no state to tell more. */
    verdict: 'fresh' | 'malformed' | 'wrong_direction' | 'forged'
    kind: Kind | null
    /** 16 lower-case hex digits. */
    address: string | null
    epoch: number | null
    counter: bigint | null
    /** Whether it is bound to a session. */
    sessionBound: boolean
    /** Which of the sessions fits; null if it is not bound to one. */
    session: number | null
    /** The plaintext, of whichever kind. */
    data: Buffer | null
    /** Why the bytes are no frame, as one word. */
    malformed: string | null
    /** Where, in bytes from 0; of an armored frame, in its text. */
    offset: number | null
  }

  /**
   * Opens a frame, binary or armored, under one key.
   *
   * @param key of the epoch that the frame names
   * @param options.sessions those that it may be bound to, 16 bytes each
   * @param options.context what it was sealed with; default empty
   */
  function open(
    frame: Bytes,
    key: DeviceKey,
    options?: { direction?: Direction; sessions?: readonly Bytes[]; context?: Bytes },
  ): Opened
  /**
   * Seals a plaintext, at most 16348 bytes; 36 bytes more are on the wire.
   *
   * @param options.address the device's, 16 hex digits
   * @param options.counter never used before by this device in this direction, from 1
   * @param options.epoch how many ratchet steps the key has made
   * @param options.session what it is bound to, 16 bytes
   * @throws {EspsealError} there is no such frame, or it is too long
   */
  function seal(
    key: DeviceKey,
    data: Bytes,
    options: {
      address: string
      counter: bigint | number
      epoch?: number
      direction?: Direction
      kind?: Kind
      session?: Bytes
      context?: Bytes
    },
  ): Buffer
  /** The text of a binary frame: base64url without padding. */
  function armor(frame: Bytes): string
  /** The binary frame of a text. Throws `invalid_argument` if it is no armor. */
  function disarm(text: Bytes): Buffer
  /**
   * The session that a device draws, 16 bytes.
   *
   * @param counter of its hello
   * @param beacon the beacon's session, 16 bytes
   * @param random 16 bytes
   */
  function deviceSession(
    key: DeviceKey,
    counter: bigint | number,
    beacon: Bytes,
    random: Bytes,
  ): Buffer
}

/**
 * Takes a frame apart, and tries every key on it in every way that senders make frames: for the
 * person who owns the keys. A receiver answers `forged` and no more.
 *
 * @param payload the frame; white space of a paste is tolerated in text
 * @param options.keyring whose keys are tried; on a classic frame the article's always are
 * @param options.sessions session IDs to try, as they travel; a sealed frame's may be 16 bytes, too
 * @param options.store the session IDs that it knows are tried, too
 * @param options.topic leaves out the classic groups whose filter does not match
 */
export function inspect(
  payload: Bytes,
  options?: {
    keyring?: Keyring
    sessions?: readonly Bytes[]
    store?: Store
    topic?: string | null
  },
): Inspection

export interface Inspection {
  /** The frame without white space and armor; offsets count from its start. */
  frame: Buffer
  /** Which of the two it is, or begins like. */
  format: 'classic' | 'sealed'
  /** Whether it came as the text of a sealed frame. */
  armored: boolean
  /** Of a classic frame; null if it is malformed. */
  layout: Layout | null
  /** In the order in which they stand. */
  fields: { name: string; offset: number; size: number }[]
  /** Why it is no frame, as one word. */
  malformed: string | null
  /** Where, in bytes from 0. */
  offset: number | null
  /** Why it is no frame, as one sentence. */
  reason: string | null
  /** Of a classic frame: one for each key set that was tried; the article's come last. */
  findings: Finding[]
  /** Of a sealed frame: its claims, and what came of the keys. */
  sealed: SealedInspection | null
}

/** What came of one key set, on a classic frame. */
export interface Finding {
  /** The group whose keys they are; null for those printed in the article. */
  group: string | null
  /** The device whose own keys they are. */
  owner: string | null
  /** How the frame verifies under them; null if it does not. */
  fit: Fit | null
  /** Whether `iv_key` and `static_iv` fit, as far as the IV tells. */
  ivFits: boolean
  /** Whom a frame that does not verify claims to be of: then `data_key` fits, too. */
  claims: { node: Buffer; device: string | null } | null
}

export interface Fit {
  layout: Layout
  /** Whether its data may end in zero bytes. */
  mode: DataMode
  mac: MacOver
  /** Whether the keyring says that this group's frames are made so. */
  asInKeyring: boolean
  /** What it verified under. */
  session: 'given' | 'stored' | 'empty' | 'none'
  /** When a stored session was minted, in Unix seconds. */
  sessionTime: number | null
  /** How long the group's sessions live, in seconds. */
  sessionLife: number | null
  /** The device that the keyring lists for it. */
  device: string | null
  /** The node field, its padding stripped. */
  node: Buffer
  iv: Buffer
  /** The plaintext: show it only to who asked for it. */
  data: Buffer
}

/** What a sealed frame claims, and what came of the keys. */
export interface SealedInspection {
  direction: 'uplink' | 'downlink'
  kind: 'data' | 'hello' | 'control'
  /** Whether it says that it is bound to a session. */
  sessionBound: boolean
  epoch: number
  /** 16 hex digits. */
  address: string
  counter: bigint
  /** The device that the keyring lists under this address, and what the store knows of it. */
  listed: {
    name: string
    fleet: string
    ownKey: boolean
    revoked: boolean
    minimumEpoch: number
    /** Where such a frame goes. */
    topic: string
    reachedEpoch: number | null
    head: bigint | null
    /** In Unix seconds. */
    lastSeen: number | null
  } | null
  /** One for each source of keys that was tried; at most one fits. */
  findings: SealedFinding[]
  /** How many of the sessions that were given could be tried. */
  sessionsGiven: number
  /** How many beacons' sessions the store knows. */
  sessionsOfBeacons: number
  /** How many sessions the store knows the device to have drawn. */
  sessionsOfDevice: number
}

/** What came of some keys, on a sealed frame. */
export interface SealedFinding {
  /** `device`, `former`, `unlisted`, `reversed`, `others` or `fleet`. */
  keysOf: string
  /** The fleet, where the keys come out of its key. */
  fleet: string | null
  /** How many devices they are of. */
  devices: number
  /** The epochs that were tried. */
  epochs: number[]
  /** How the frame verifies under one of them; null if it does not. */
  fit: SealedFit | null
}

/** How a sealed frame verifies. */
export interface SealedFit {
  /** The device whose key it is. */
  device: string | null
  /** The epoch of the key. */
  epoch: number
  direction: 'uplink' | 'downlink'
  kind: 'data' | 'hello' | 'control'
  /** What it is bound to. */
  session: 'none' | 'given' | 'beacon' | 'current' | 'pending' | 'expired' | 'zeros'
  /** When a session of this keyring's beacons was minted, in Unix seconds. */
  sessionTime: number | null
  /** How long those live, in seconds. */
  sessionLife: number | null
  /** What is wrong with it; a receiver takes it only if nothing is. */
  mistakes: string[]
  /** The plaintext, of whichever kind: show it only to who asked for it. */
  data: Buffer
  /** What a hello or a control frame says; null for data, and for what does not parse. */
  body: {
    says: string
    session?: string
    firmware?: string
    epoch?: number
    tag?: string
    floor?: bigint
    mode?: number
  } | null
}

/** What does the work: `native`, the addon. Throws `no_backend` if there is none for this system. */
export function backend(): 'native'

/** The version of the core. */
export function version(): string
