import { DatabaseSync } from 'node:sqlite'
import { Propagator, sqlPeer, systemRuntime, TidemarkError, type ConflictRules, type Peer, type Runtime } from '@tidemark/core'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { cells } from './stored-cells.ts'

/** Who sends to whom. */
export type Topology = Readonly<Record<string, readonly string[]>>

export interface HistoriesOptions {
  readonly topology: Topology
  /** Each key is a history of its own. */
  readonly keys: number
  readonly writesPerKey: number
  readonly random: () => number
  readonly file: (name: string) => string
  readonly rules?: ConflictRules | undefined
}

interface Instance {
  readonly name: string
  readonly database: DatabaseSync
  readonly propagator: Propagator
  /** Peers that can't be reached now. */
  readonly cut: Set<string>
  /** How far its clock is off, in milliseconds. */
  skewMs: number
}

/** What each writer saw when it wrote, and whether every row ends as a write that nobody had seen before writing again. */
export interface HistoriesReport {
  /** Cells of each instance, and what each remembers of the rows. */
  readonly states: readonly { readonly name: string; readonly rows: readonly unknown[]; readonly versions: readonly Readonly<Record<string, unknown>>[] }[]
  /** Keys whose last value had been overwritten by somebody who had seen it. */
  readonly undone: readonly string[]
  readonly writes: number
  /** Rows that have lost a unique value to others. */
  readonly displaced: number
}

/** The true time: goes on with the writes, so that a history is the same each time. */
const START_MS = 1_700_000_000_000
const time = { nowMs: START_MS }

const SCHEMA = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE notes (id TEXT NOT NULL, part INTEGER NOT NULL, body TEXT, PRIMARY KEY (id, part)); CREATE TABLE names (id TEXT NOT NULL PRIMARY KEY, name TEXT UNIQUE, short TEXT, body TEXT); CREATE UNIQUE INDEX short_names ON names (lower(short)) WHERE short <> \'\''

const TABLES = ['notes', 'names']

/**
 * Several instances write the same keys at random, each with a clock of its own that is set anew now and then, and hear of each other at
 * random moments. At the end all have heard everything.
 */
export async function writtenHistories({ topology, keys, writesPerKey, random, file, rules = { conflicts: 'last-writer-wins' } }: HistoriesOptions): Promise<HistoriesReport> {
  const instances: Instance[] = []
  for (const name of Object.keys(topology)) instances.push(await open(name, { topology, file, rules }))
  const seen = new Map<string, Set<string>>()
  const writes = keys * writesPerKey
  time.nowMs = START_MS
  for (let number = 0; number < writes; number += 1) {
    const instance = pick(instances, random)
    time.nowMs += Math.floor(random() * 3)
    if (random() < 0.05) instance.skewMs = Math.round((random() - 0.5) * 40_000)
    const key = `k${Math.floor(random() * keys)}`
    const before = write(instance.database, { key, number, random })
    for (const body of before) note(seen, key, body)
    writeName(instance.database, { keys, number, random })
    // Far fewer messages than writes: most writes meet others that neither has heard of.
    if (random() < 8 / keys) await flush(pick(instances, random), random)
  }
  await settle(instances)
  const undone = [...seen].flatMap(([key, bodies]) => (rowsOf(instances[0]?.database, key).some((body) => bodies.has(body)) ? [key] : []))
  const states = instances.map(({ name }) => ({ name, rows: TABLES.map((table) => cells(file(name), table)), versions: versionsOf(file(name)) }))
  for (const { propagator, database } of instances) {
    await propagator[Symbol.asyncDispose]()
    database.close()
  }
  return { states, undone, writes, displaced: states[0]?.versions.filter((row) => String(row['version']).endsWith('!')).length ?? 0 }
}

/** To some of its peers, so that one often hears of a change from another before its maker. */
async function flush({ propagator, cut }: Instance, random: () => number): Promise<void> {
  cut.clear()
  for (const { name } of propagator.status().peers) if (random() < 0.3) cut.add(name)
  await propagator.flush()
}

/** Without those of rows that nobody saw being written: their own instance keeps none. */
function versionsOf(path: string): readonly Readonly<Record<string, unknown>>[] {
  const database = new DatabaseSync(path, { readOnly: true })
  const rows = database.prepare(`SELECT name, key, version, gone > 0 AS gone FROM tidemark_peer_versions WHERE version NOT LIKE '0000000000000%' ORDER BY name, key`).all()
  database.close()
  return rows
}

async function open(name: string, { topology, file, rules }: Pick<HistoriesOptions, 'topology' | 'file'> & { readonly rules: ConflictRules }): Promise<Instance> {
  for (const path of [name, ...topology[name] ?? []].map(file)) await prepare(path)
  const state = { skewMs: 0 }
  const system = systemRuntime()
  const runtime: Runtime = { ...system, now: () => time.nowMs + state.skewMs, random: () => system.random(), sleep: (ms, signal) => system.sleep(ms, signal), waitUntil: (work) => system.waitUntil(work), wakeAfter: (key, ms, work) => system.wakeAfter(key, ms, work) }
  const database = new DatabaseSync(file(name), { timeout: 5_000 })
  database.exec('PRAGMA synchronous = OFF')
  const cut = new Set<string>()
  const peers = (topology[name] ?? []).map((peer) => unlessCut(sqlPeer(nodeSqlitePropagationTarget({ path: file(peer) }), { ...rules, runtime, name: peer, origin: peer }), cut))
  const propagator = new Propagator({ ...rules, runtime, source: sqliteChanges({ path: file(name) }, { tables: TABLES }), origin: name, peers, target: nodeSqlitePropagationTarget({ path: file(name) }), batch: { rows: 16 }, retry: { baseMs: 1, maxMs: 2 }, breaker: { failures: 1_000 } })
  return Object.defineProperty({ name, database, propagator, cut, skewMs: 0 }, 'skewMs', { get: () => state.skewMs, set: (ms: number) => { state.skewMs = ms } })
}

function unlessCut(peer: Peer, cut: ReadonlySet<string>): Peer {
  const send: Peer['send'] = (message, options) => (cut.has(peer.name) ? Promise.reject(new TidemarkError('PEER_UNREACHABLE', 'The link is cut.')) : peer.send(message, options))
  return { name: peer.name, address: peer.address, maxMessageBytes: peer.maxMessageBytes, send, close: () => peer.close() }
}

async function prepare(path: string): Promise<void> {
  const database = new DatabaseSync(path, { timeout: 5_000 })
  const isNew = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'notes'`).get() === undefined
  if (isNew) database.exec(SCHEMA)
  database.close()
  if (isNew) await sqliteChanges({ path }, { tables: TABLES }).install()
}

/** Each row has a body of its own; two parts of a key, so that a row can move from one to the other. Gives the bodies that were overwritten. */
function write(database: DatabaseSync, { key, number, random }: { readonly key: string; readonly number: number; readonly random: () => number }): readonly string[] {
  const before = rowsOf(database, key)
  const part = random() < 0.8 ? 0 : 1
  const chance = random()
  if (chance < 0.5) database.prepare('INSERT INTO notes VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body').run(key, part, `w${number}`)
  else if (chance < 0.7) database.prepare('UPDATE notes SET body = ? WHERE id = ?').run(`w${number}`, key)
  else if (chance < 0.8) database.prepare('UPDATE OR REPLACE notes SET part = ?, body = ? WHERE id = ? AND part = ?').run(1 - part, `w${number}`, key, part)
  else database.prepare('DELETE FROM notes WHERE id = ?').run(key)
  const after = rowsOf(database, key)
  return before.filter((body) => !after.includes(body))
}

/** Few names for many rows, so that two instances often give one to different rows. */
function writeName(database: DatabaseSync, { keys, number, random }: { readonly keys: number; readonly number: number; readonly random: () => number }): void {
  const few = (from: string): string => `${from}${Math.floor(random() * keys / 8)}`
  const [id, name, short] = [few('r'), few('n'), random() < 0.5 ? '' : few(random() < 0.5 ? 's' : 'S')]
  const chance = random()
  if (chance < 0.5) database.prepare('INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?)').run(id, name, short, `w${number}`)
  else if (chance < 0.65) database.prepare('INSERT OR REPLACE INTO names VALUES (?, ?, ?, ?)').run(id, name, short, `w${number}`)
  else if (chance < 0.8) database.prepare('UPDATE OR IGNORE names SET name = ?, short = ?, body = ? WHERE id = ?').run(name, short, `w${number}`, id)
  else if (chance < 0.9) database.prepare('UPDATE names SET body = ? WHERE id = ?').run(`w${number}`, id)
  else database.prepare('DELETE FROM names WHERE id = ?').run(id)
}

function rowsOf(database: DatabaseSync | undefined, key: string): readonly string[] {
  return (database?.prepare('SELECT body FROM notes WHERE id = ?').all(key) ?? []).map(({ body }) => String(body))
}

/** Until nobody has anything to say any more. */
async function settle(instances: readonly Instance[]): Promise<void> {
  // Beyond every delay before another try, whatever the clocks were set to.
  time.nowMs += 60_000
  for (let sent = -1; sent !== total(instances);) {
    sent = total(instances)
    for (const { propagator, cut } of instances) {
      cut.clear()
      const { behind } = await propagator.flush()
      if (behind.length > 0) throw new Error(`Behind: ${JSON.stringify(propagator.status())}`)
    }
  }
}

function total(instances: readonly Instance[]): number {
  return instances.reduce((sum, { propagator }) => sum + propagator.status().peers.reduce((all, { sent }) => all + sent.changes + sent.rowsCopied, 0), 0)
}

function note(seen: Map<string, Set<string>>, key: string, body: string): void {
  const bodies = seen.get(key) ?? new Set()
  bodies.add(body)
  seen.set(key, bodies)
}

function pick<T>(list: readonly T[], random: () => number): T {
  const item = list[Math.floor(random() * list.length)]
  if (item === undefined) throw new TypeError('Nothing to pick from.')
  return item
}

export const TOPOLOGIES: readonly { readonly name: string; readonly topology: Topology }[] = [
  { name: 'two', topology: { a: ['b'], b: ['a'] } },
  { name: 'mesh of three', topology: { a: ['b', 'c'], b: ['a', 'c'], c: ['a', 'b'] } },
  { name: 'ring of three', topology: { a: ['b'], b: ['c'], c: ['a'] } },
  { name: 'chain of three', topology: { a: ['b'], b: ['a', 'c'], c: ['b'] } },
]

/** Seeded numbers in [0, 1): a linear congruential generator with Numerical Recipes' constants. */
export function seededRandom(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
