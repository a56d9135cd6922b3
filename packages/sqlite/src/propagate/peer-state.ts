import { reached, TidemarkError, type LogPosition, type PeerTableState, type RelayedFrom, type RelayedTable, type SenderState, type Sequence } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import type { PeerNames } from './peer-names.ts'

/** A table as it is kept: what a copy does with the rows that were there before it is our own affair. */
export interface KeptTable {
  readonly state: PeerTableState
  /** Whether the table had rows when its copy began, so that those which it does not bring are deleted at its end. */
  readonly sweeps: boolean
  /** Chunks of it so far, of all its copies: numbers what is passed on. */
  readonly chunks?: number | undefined
}

/** What is known of one sender. */
export interface KeptSender {
  readonly sender: SenderState
  readonly tables: ReadonlyMap<string, KeptTable>
}

export async function createPeerTables(transaction: BatchTransaction, names: PeerNames): Promise<void> {
  const statements = [
    `CREATE TABLE IF NOT EXISTS ${names.senders} (origin TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${names.tables} (origin TEXT, name TEXT, state TEXT NOT NULL, PRIMARY KEY (origin, name)) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${names.relayed} (origin TEXT, name TEXT, via TEXT, epoch TEXT NOT NULL, sequence TEXT NOT NULL, PRIMARY KEY (origin, name, via)) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${names.parts} (origin TEXT, number INTEGER, message TEXT NOT NULL, PRIMARY KEY (origin, number))`,
    `CREATE TABLE IF NOT EXISTS ${names.copied} (origin TEXT, name TEXT, key TEXT, PRIMARY KEY (origin, name, key)) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS ${names.applying} (one INTEGER PRIMARY KEY)`,
  ]
  for (const sql of statements) await transaction.run(sql)
}

export async function readSender(transaction: BatchTransaction, names: PeerNames, origin: string): Promise<KeptSender | undefined> {
  const [[row], tables] = await Promise.all([
    transaction.query(`SELECT state FROM ${names.senders} WHERE origin = ?`, [origin]),
    transaction.query(`SELECT name, state FROM ${names.tables} WHERE origin = ?`, [origin]),
  ])
  if (row === undefined) return undefined
  return { sender: toSender(row[0]), tables: new Map(tables.map(([name, state]) => [String(name), parse(state) as KeptTable])) } // written by writeTable
}

export async function writeSender(transaction: BatchTransaction, names: PeerNames, entry: { readonly origin: string; readonly sender: SenderState }): Promise<void> {
  const { origin, sender: { epoch, retired, at, keptTo, restarts } } = entry
  const state = JSON.stringify({ v: 1, epoch, retired, at: pair(at), keptTo: keptTo === null ? null : pair(keptTo), restarts })
  await transaction.run(`INSERT INTO ${names.senders} VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET state = excluded.state`, [origin, state])
}

export async function writeTable(transaction: BatchTransaction, names: PeerNames, entry: { readonly origin: string; readonly name: string; readonly kept: KeptTable }): Promise<void> {
  const { origin, name, kept } = entry
  await transaction.run(`INSERT INTO ${names.tables} VALUES (?, ?, ?) ON CONFLICT (origin, name) DO UPDATE SET state = excluded.state`, [origin, name, JSON.stringify(kept)])
}

/** Stands for the log itself, beside the names of those who pass rows of its snapshots on. */
const LOG = ''

/** How the tables of an instance stand whose changes others pass on. */
export async function readRelayed(transaction: BatchTransaction, names: PeerNames, origin: string): Promise<ReadonlyMap<string, RelayedTable>> {
  const direct = await readSender(transaction, names, origin)
  const rows = await transaction.query(`SELECT name, via, epoch, sequence FROM ${names.relayed} WHERE origin = ?`, [origin])
  const tables = new Set([...direct?.tables.keys() ?? [], ...rows.map(([name]) => String(name))])
  return new Map([...tables].map((table) => {
    const own = rows.filter(([name]) => name === table).map(([, via, epoch, sequence]) => ({ via: String(via), epoch: String(epoch), sequence: String(sequence) }))
    const copied = new Map(own.filter(({ via }) => via !== LOG).map(({ via, sequence }) => [via, sequence]))
    return [table, { direct: direct?.tables.get(table)?.state, through: own.find(({ via }) => via === LOG), copied }]
  }))
}

export async function writeRelayed(transaction: BatchTransaction, names: PeerNames, entry: { readonly from: RelayedFrom; readonly name: string }): Promise<void> {
  const { from: { origin, epoch, sequence, copy }, name } = entry
  await transaction.run(
    `INSERT INTO ${names.relayed} VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin, name, via) DO UPDATE SET epoch = excluded.epoch, sequence = excluded.sequence`,
    [origin, name, copy?.via ?? LOG, epoch, copy?.number ?? sequence],
  )
}

/** Appends a part. Where `reached` says that none is kept, those that are there belong to a transaction that was begun anew. */
export async function writePart(transaction: BatchTransaction, names: PeerNames, part: { readonly origin: string; readonly message: string; readonly isFirst: boolean }): Promise<void> {
  const { origin, message, isFirst } = part
  if (isFirst) await dropParts(transaction, names, origin)
  await transaction.run(`INSERT INTO ${names.parts} SELECT ?, ifnull(max(number), 0) + 1, ? FROM ${names.parts} WHERE origin = ?`, [origin, message, origin])
}

export async function readParts(transaction: BatchTransaction, names: PeerNames, origin: string): Promise<readonly string[]> {
  const rows = await transaction.query(`SELECT message FROM ${names.parts} WHERE origin = ? ORDER BY number`, [origin])
  return rows.map(([message]) => String(message))
}

/** One at a time, with writes in between: only where a transaction may read behind its own writes. */
export async function* streamParts(transaction: BatchTransaction, names: PeerNames, origin: string): AsyncGenerator<string> {
  for (let after = 0; ;) {
    const [row] = await transaction.query(`SELECT number, message FROM ${names.parts} WHERE origin = ? AND number > ? ORDER BY number LIMIT 1`, [origin, after])
    if (row === undefined) return
    after = Number(row[0])
    yield String(row[1])
  }
}

export async function dropParts(transaction: BatchTransaction, names: PeerNames, origin: string): Promise<void> {
  await transaction.run(`DELETE FROM ${names.parts} WHERE origin = ?`, [origin])
}

/** Up to where it has the log; `null` where it does not know it. */
export function placeOf(kept: KeptSender | undefined, epoch: string): LogPosition | null {
  return kept?.sender.epoch === epoch ? reached(kept.sender) : null
}

function pair({ sequence, detail }: LogPosition): readonly [string, string] {
  return [sequence, detail]
}

interface StoredSender {
  readonly v: number
  readonly epoch: string
  readonly retired: readonly string[]
  readonly at: readonly [string, string]
  readonly keptTo: readonly [string, string] | null
  readonly restarts?: number
}

/** Errors: `STATE_NEWER`, `STATE_CORRUPT`. */
function toSender(text: unknown): SenderState {
  const { v, epoch, retired, at, keptTo, restarts } = parse(text) as StoredSender // written by writeSender
  if (v > 1) throw new TidemarkError('STATE_NEWER', `The place of a sender has version ${v}; this release knows 1.`)
  const position = ([sequence, detail]: readonly [string, string]): LogPosition => ({ epoch, sequence: sequence as Sequence, detail })
  return { epoch, retired, at: position(at), keptTo: keptTo === null ? null : position(keptTo), restarts }
}

function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text))
  } catch {
    throw new TidemarkError('STATE_CORRUPT', 'What the receiver keeps about a sender can not be read.', { remedy: 'Restore the database from a backup, or delete the sender\'s row: it then copies everything anew.' })
  }
}
