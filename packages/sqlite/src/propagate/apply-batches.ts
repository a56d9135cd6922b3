import { repeatsRelayed, takesChanges, takesRelayed, TidemarkError, type PeerChange, type PeerTable, type RelayedTable, type RowValues } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { applyChanges, nullKey, type AppliedTable } from './apply-changes.ts'
import type { ApplyContext, PlannedBatch } from './apply-context.ts'
import { isRelayed, type Batch } from './batch.ts'
import { unguarded } from './guard-tables.ts'
import { withOrigin } from './mark-origin.ts'
import { readShape, shapeDifference, type PeerShape } from './peer-shape.ts'
import { writeRelayed } from './peer-state.ts'
import { rowStatements } from './row-statements.ts'
import { triggerFault, withoutTriggers } from './suspend-triggers.ts'
import { TableFailed } from './table-failed.ts'
import { groupsOf, numbered, writeGroup } from './write-groups.ts'

/**
 * Applies batches that belong together, and then does what `last` does with the table of the first. Reads all that it needs to know, then
 * writes, as hosts without interactive transactions want it. Errors: `TableFailed`.
 */
export async function applyBatches(
  transaction: BatchTransaction, batches: readonly Batch[], context: ApplyContext, last?: (table: AppliedTable | undefined) => Promise<void>,
): Promise<void> {
  const shapes = await readShapes(transaction, batches.flatMap(({ tables }) => tables.map(({ name }) => name)))
  const planned = batches.map((batch) => plan(batch, { shapes, context }))
  if (!planned.some(({ applied }) => applied.some((table) => table !== undefined))) return
  const touched = shapesIn(shapes)
  const chosen = context.versioned === undefined ? planned : await context.versioned.choose(transaction, planned, shapes)
  const [first] = planned
  await writing(transaction, touched, { context, work: async () => {
    const groups = groupsOf(chosen)
    for (const [index, group] of groups.entries()) await writeGroup(transaction, group, { context, touched, index })
    if (last !== undefined && first !== undefined) {
      await withOrigin(transaction, touched, { from: { ...first.from, ...numbered(first, groups.length) }, sentBy: first.origin, work: () => last(first.applied[0]) })
    }
    if (first !== undefined) await noteRelayed(transaction, first, { tables: tablesOf(planned), context })
    await context.versioned?.settle(transaction)
  } })
}

/**
 * The same for the parts of a transaction that may be of any size, in the memory of one part: each is read when the one before is written.
 * Only where a transaction may read behind its own writes, and one instance writes a table. Errors: `TableFailed`.
 */
export async function applyParts(transaction: BatchTransaction, batches: AsyncIterator<Batch>, context: ApplyContext): Promise<void> {
  const shapes = await readShapes(transaction, [...context.known.tables.keys()])
  const touched = shapesIn(shapes)
  const { value: first, done } = await batches.next()
  if (done === true) return
  await writing(transaction, touched, { context, work: async () => {
    const tables = new Set<string>()
    const apply = async (batch: Batch): Promise<void> => {
      const planned = plan(batch, { shapes, context })
      for (const table of tablesOf([planned])) tables.add(table)
      await applyChanges(transaction, planned.changes, { origin: planned.origin, tables: planned.applied, maxParameters: context.host.maxParameters })
    }
    await withOrigin(transaction, touched, { from: first.from, sentBy: first.origin, work: async () => {
      await apply(first)
      for (let next = await batches.next(); next.done !== true; next = await batches.next()) await apply(next.value)
    } })
    await noteRelayed(transaction, first, { tables, context })
  } })
}

/** Behind the guards, without the application's triggers. */
async function writing(transaction: BatchTransaction, touched: readonly PeerShape[], { context, work }: { readonly context: ApplyContext; readonly work: () => Promise<void> }): Promise<void> {
  const guarded = context.guards ? (): Promise<void> => unguarded(transaction, context.names, work) : work
  await withoutTriggers(transaction, touched, { names: context.names, work: guarded })
}

type Shapes = ReadonlyMap<string, PeerShape | undefined>

function plan(batch: Batch, { shapes, context }: { readonly shapes: Shapes; readonly context: ApplyContext }): PlannedBatch {
  return { ...batch, applied: batch.tables.map((table, index) => appliedTable(table, { index, batch, shape: shapes.get(table.name), context })) }
}

function tablesOf(batches: readonly PlannedBatch[]): ReadonlySet<string> {
  return new Set(batches.flatMap(({ applied }) => applied.flatMap((table) => table?.table.name ?? [])))
}

function shapesIn(shapes: Shapes): readonly PeerShape[] {
  return [...shapes.values()].filter((shape) => shape !== undefined)
}

async function noteRelayed(transaction: BatchTransaction, first: Batch, { tables, context: { names } }: { readonly tables: ReadonlySet<string>; readonly context: ApplyContext }): Promise<void> {
  if (!isRelayed(first)) return
  for (const name of tables) await writeRelayed(transaction, names, { from: first.from, name })
}

async function readShapes(transaction: BatchTransaction, tables: readonly string[]): Promise<Shapes> {
  const names = [...new Set(tables)]
  return new Map(await Promise.all(names.map(async (name): Promise<[string, PeerShape | undefined]> => [name, await readShape(transaction, name)])))
}

interface TableRequest {
  readonly index: number
  readonly batch: Batch
  readonly shape: PeerShape | undefined
  readonly context: ApplyContext
}

/** `undefined` for a table that nothing is applied to. Errors: `TableFailed`. */
function appliedTable(table: PeerTable, { index, batch, shape, context }: TableRequest): AppliedTable | undefined {
  const kept = context.known.tables.get(table.name)
  // One that no hello named is not one that this receiver follows.
  if (kept === undefined || kept.state.state === 'refused' || context.failed.has(table.name)) return undefined
  if (batch.copy === undefined && !takesChanges(kept.state)) return undefined
  if (isRelayed(batch) && !takesRelayed(batch.from, context.relayed.get(table.name) ?? UNKNOWN, context.own)) return undefined
  const fault = shapeDifference(table, shape) ?? triggerFault(shape, context) ?? nullKey(table, rowsOf(batch.changes, index)) ?? unversioned(table, { index, batch, context })
  if (fault !== undefined || shape === undefined) throw new TableFailed(table.name, fault ?? new TidemarkError('INTERNAL', 'A table without shape.'))
  const isCopying = kept.state.state === 'copying' && context.versioned === undefined
  const isRepeated = isRelayed(batch) && context.versioned === undefined && repeatsRelayed(batch.from, context.relayed.get(table.name) ?? UNKNOWN)
  return {
    table,
    shape,
    statements: rowStatements(table, shape, { conflict: (isCopying || isRepeated) && context.host.keepsForeignKeys !== true ? 'replace' : 'update', copied: context.names.copied }),
    notesCopied: isCopying && kept.sweeps,
  }
}

const UNKNOWN: RelayedTable = { direct: undefined, through: undefined, copied: new Map() }

function* rowsOf(changes: readonly PeerChange[], table: number): Generator<{ readonly values: RowValues; readonly isKey: boolean }> {
  for (const change of changes) if (change.table === table && change.op !== 'truncate') yield { values: change.values, isKey: change.op === 'delete' }
}

/** All rows of a table, whoever wrote them: that can't be weighed against other writes. */
function unversioned(table: PeerTable, { index, batch, context }: Omit<TableRequest, 'shape'>): TidemarkError | undefined {
  const isTruncated = context.versioned !== undefined && batch.changes.some((change) => change.op === 'truncate' && change.table === index)
  return isTruncated ? new TidemarkError('NOT_SUPPORTED', `The table '${table.name}' was made anew, which can't be merged with the writes of others.`, { remedy: 'It is copied when the peer asks again.' }) : undefined
}
