import { makerOf, NO_TIME, setColumn, toVersion, type PeerChange, type PeerTable, type RowValues, type RowVersion, type Value, type VersionedWrites } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../../driver.ts'
import { quote, quoteAll } from '../../quote.ts'
import type { PeerNames } from '../peer-names.ts'
import type { PeerShape } from '../peer-shape.ts'
import { boundKey, keyOfRow, keyTextSql } from './key-text.ts'

/** A change of one row with its version. */
export interface VersionedChange {
  readonly change: Exclude<PeerChange, { readonly op: 'truncate' }>
  readonly version: RowVersion
}

export interface NewerContext {
  /** Whether a change of the version that is here has been applied already: rows of a snapshot; those of a log may be several of one version. */
  readonly isStrict: boolean
  readonly names: PeerNames
  readonly table: PeerTable
  readonly shape: PeerShape
  /** This instance. */
  readonly own: string
  readonly writes: VersionedWrites
}

/** A change that is applied, and under which key its version is kept. */
export interface Winner extends VersionedChange {
  readonly key: string
  /** Whether there was such a row before. */
  readonly existed: boolean
  /** The row's version before the message; `undefined`: there was no such row. */
  readonly before: RowVersion | undefined
}

/** Keys in one statement: three parameters each at most, and hosts allow a hundred. */
const KEYS_PER_STATEMENT = 24

/** The changes that win over what is here: those whose version is not less. Equal ones are of one transaction, and come in its order. */
export async function newerChanges(transaction: BatchTransaction, changes: readonly VersionedChange[], context: NewerContext): Promise<readonly Winner[]> {
  const winners: Winner[] = []
  for (let at = 0; at < changes.length; at += KEYS_PER_STATEMENT) {
    const group = changes.slice(at, at + KEYS_PER_STATEMENT)
    const found = await readVersions(transaction, group.map(({ change }) => keyOf(context.table, change)), context)
    for (const [index, entry] of group.entries()) {
      const { key, version, exists } = found[index] ?? { key: '', version: undefined, exists: false }
      if (await wins(transaction, { entry, mine: version }, context)) winners.push({ ...entry, key, existed: exists, before: version })
    }
  }
  return winners
}

interface FoundVersion {
  readonly key: string
  /** `undefined`: there is no such row, and never was. */
  readonly version: RowVersion | undefined
  readonly exists: boolean
}

/** Of a row that nobody has seen being written, the least there is: with the instance's name, so that both sides choose the same. */
export async function readVersions(transaction: Pick<BatchTransaction, 'query'>, keys: readonly RowValues[], context: Pick<NewerContext, 'names' | 'table' | 'shape' | 'own'>): Promise<readonly FoundVersion[]> {
  const { names, table, shape, own } = context
  const columns = table.key.map((_, index) => `k${index}`)
  const text = keyTextSql(columns.map((column) => `i.${column}`), table.key.map((name) => shape.collations.get(name)))
  const isKey = table.key.map((name, index) => `t.${quote(name)} = i.k${index}`).join(' AND ')
  const row = `(?, ${columns.map(() => '?').join(', ')})`
  const rows = await transaction.query(
    `WITH i (n, ${columns.join(', ')}) AS (VALUES ${keys.map(() => row).join(', ')})
     SELECT i.n, ${text}, (SELECT version FROM ${names.versions} AS s WHERE s.name = ? AND s.key = ${text}), EXISTS (SELECT 1 FROM main.${quote(table.name)} AS t WHERE ${isKey})
     FROM i ORDER BY i.n`,
    [...keys.flatMap((key, index) => [BigInt(index), ...boundKey(table, key)]), table.name],
  )
  return rows.map(([, key, version, exists]) => ({
    key: String(key),
    exists: Number(exists) === 1,
    version: version !== null && version !== undefined ? String(version) : Number(exists) === 1 ? toVersion(NO_TIME, own) : undefined,
  }))
}

/** Notes the version of a row. */
export async function writeVersion(transaction: BatchTransaction, names: PeerNames, row: { readonly table: string; readonly key: string; readonly version: RowVersion; /** `undefined`: it is there. */ readonly goneAtMs: number | undefined }): Promise<void> {
  const { table, key, version, goneAtMs = 0 } = row
  await transaction.run(`INSERT INTO ${names.versions} VALUES (?, ?, ?, ?) ON CONFLICT (name, key) DO UPDATE SET version = excluded.version, gone = excluded.gone`, [table, key, version, BigInt(Math.trunc(goneAtMs))])
}

async function wins(transaction: BatchTransaction, { entry: { change, version }, mine }: { readonly entry: VersionedChange; readonly mine: RowVersion | undefined }, context: NewerContext): Promise<boolean> {
  const { writes: { resolve }, table } = context
  if (mine === undefined) return true
  if (version === mine) return !context.isStrict
  if (resolve === undefined || makerOf(mine) === makerOf(version)) return version > mine
  const key = keyOf(table, change)
  const theirs = { version, row: change.op === 'upsert' ? named(table.columns.map(({ name }) => name), change.values) : null }
  return resolve({ table: table.name, key, mine: { version: mine, row: await readRow(transaction, key, context) }, theirs }) === 'theirs'
}

async function readRow(transaction: BatchTransaction, key: RowValues, { table }: NewerContext): Promise<Readonly<Record<string, Value>> | null> {
  const names = table.columns.map(({ name }) => name)
  const isKey = table.key.map((name) => `${quote(name)} = ?`).join(' AND ')
  const [row] = await transaction.query(`SELECT ${quoteAll(names)} FROM main.${quote(table.name)} WHERE ${isKey}`, boundKey(table, key))
  return row === undefined ? null : named(names, row)
}

function named(names: readonly string[], values: RowValues): Readonly<Record<string, Value>> {
  const row: Record<string, Value> = {}
  names.forEach((name, index) => setColumn(row, name, values[index] ?? null))
  return row
}

function keyOf(table: PeerTable, change: VersionedChange['change']): RowValues {
  return change.op === 'delete' ? change.values : keyOfRow(table, change.values)
}
