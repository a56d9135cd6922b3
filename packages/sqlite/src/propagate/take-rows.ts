import { decodeMessage, ownChange, takesRelayed, TidemarkError, type PeerChange, type PeerChunk, type PeerTable, type PeerUnit, type RelayedFrom, type RelayedTable, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { applyChanges, nullKey, type AppliedTable } from './apply-changes.ts'
import { unguarded } from './guard-tables.ts'
import { withOrigin } from './mark-origin.ts'
import type { PeerNames } from './peer-names.ts'
import { readShape, shapeDifference, type PeerShape } from './peer-shape.ts'
import { readParts, writeRelayed, type KeptSender } from './peer-state.ts'
import { rowStatements } from './row-statements.ts'
import { withoutTriggers } from './suspend-triggers.ts'
import { TableFailed } from './table-failed.ts'

export interface RowsContext {
  readonly names: PeerNames
  readonly maxParameters: number
  readonly guards: boolean
  readonly known: KeptSender
  /** The receiving instance. */
  readonly own: string | undefined
  /** Tables of the instance that made a passed-on change. */
  readonly relayed: ReadonlyMap<string, RelayedTable>
  /** Tables that could not be written to in an earlier try. */
  readonly failed: ReadonlySet<string>
}

/** What one unit or chunk writes. */
interface Batch {
  readonly origin: string
  readonly tables: readonly PeerTable[]
  readonly changes: readonly PeerChange[]
  readonly from: RelayedFrom
}

/** Applies a unit with the parts that were kept before it. Errors: `TableFailed`. */
export async function applyUnit(transaction: BatchTransaction, unit: PeerUnit, context: RowsContext): Promise<void> {
  const from = unit.relayed ?? ownChange(unit, { sequence: unit.to.sequence, isSnapshot: false })
  const kept = context.known.sender.keptTo === null ? [] : await readParts(transaction, context.names, unit.origin)
  const units = [...kept.map((text) => decodeMessage(text) as PeerUnit), unit] // written from units
  const batches = units.map(({ origin, tables, changes }) => ({ origin, tables, changes, from }))
  await applyBatches(transaction, batches, context)
}

/** Applies the rows of a chunk, and with the last one deletes those that the copy did not bring. Errors: `TableFailed`. */
export async function applyChunk(transaction: BatchTransaction, chunk: PeerChunk, context: RowsContext): Promise<void> {
  const { origin, table, rows, at, next } = chunk
  const from = ownChange(chunk, { sequence: at.sequence, isSnapshot: true })
  const changes = rows.map((values): PeerChange => ({ op: 'upsert', table: 0, values }))
  await applyBatches(transaction, [{ origin, tables: [table], changes, from }], context, async (applied) => {
    const target = next === null ? applied[0]?.[0] : undefined
    if (target?.notesCopied !== true) return
    await transaction.run(target.statements.sweep, [origin, table.name])
    await transaction.run(`DELETE FROM ${context.names.copied} WHERE origin = ? AND name = ?`, [origin, table.name])
  })
}

/** Reads what it needs to know of the tables first, as hosts without interactive transactions want it, then writes. */
async function applyBatches(
  transaction: BatchTransaction, batches: readonly Batch[], context: RowsContext,
  last: (applied: readonly (readonly (AppliedTable | undefined)[])[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const shapes = await readShapes(transaction, batches)
  const applied = batches.map((batch) => batch.tables.map((table, index) => appliedTable(table, { index, batch, shape: shapes.get(table.name), context })))
  const [first] = batches
  if (first === undefined || !applied.some((tables) => tables.some((table) => table !== undefined))) return
  const touched = [...shapes.values()].filter((shape) => shape !== undefined)
  const write = async (): Promise<void> => {
    for (const [index, { origin, changes }] of batches.entries()) {
      await applyChanges(transaction, changes, { origin, tables: applied[index] ?? [], maxParameters: context.maxParameters })
    }
    await last(applied)
    if (isRelayed(first) && !first.from.isSnapshot) for (const name of new Set(applied.flatMap((tables) => tables.flatMap((table) => table?.table.name ?? [])))) {
      await writeRelayed(transaction, context.names, { from: first.from, name })
    }
  }
  const guarded = context.guards ? (): Promise<void> => unguarded(transaction, context.names, write) : write
  const suspended = (): Promise<void> => withoutTriggers(transaction, touched, { names: context.names, work: guarded })
  await withOrigin(transaction, touched, { from: first.from, work: suspended })
}

async function readShapes(transaction: BatchTransaction, batches: readonly Batch[]): Promise<ReadonlyMap<string, PeerShape | undefined>> {
  const shapes = new Map<string, PeerShape | undefined>()
  for (const name of new Set(batches.flatMap(({ tables }) => tables.map((table) => table.name)))) shapes.set(name, await readShape(transaction, name))
  return shapes
}

interface TableRequest {
  readonly index: number
  readonly batch: Batch
  readonly shape: PeerShape | undefined
  readonly context: RowsContext
}

/** `undefined` for a table that nothing is applied to. Errors: `TableFailed`. */
function appliedTable(table: PeerTable, { index, batch, shape, context }: TableRequest): AppliedTable | undefined {
  const kept = context.known.tables.get(table.name)
  // One that no hello named is not one that this receiver follows.
  if (kept === undefined || kept.state.state === 'refused' || context.failed.has(table.name)) return undefined
  if (isRelayed(batch) && !takesRelayed(batch.from, context.relayed.get(table.name) ?? UNKNOWN, context.own)) return undefined
  const fault = shapeDifference(table, shape) ?? nullKey(table, rowsOf(batch, index))
  if (fault !== undefined || shape === undefined) throw new TableFailed(table.name, fault ?? new TidemarkError('INTERNAL', 'A table without shape.'))
  const isCopying = kept.state.state === 'copying'
  return {
    table,
    statements: rowStatements(table, shape, { conflict: isCopying ? 'replace' : 'update', copied: context.names.copied }),
    notesCopied: isCopying && kept.sweeps,
  }
}

const UNKNOWN: RelayedTable = { direct: undefined, through: undefined }

/** Whether another than the sender has made the change. */
function isRelayed({ origin, from }: Batch): boolean {
  return from.origin !== origin
}

function* rowsOf({ changes }: Batch, index: number): Generator<{ readonly values: RowValues; readonly isKey: boolean }> {
  for (const change of changes) if (change.table === index && change.op !== 'truncate') yield { values: change.values, isKey: change.op === 'delete' }
}
