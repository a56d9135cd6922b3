import { repeatsRelayed, takesChanges, takesRelayed, TidemarkError, toSequence, type PeerChange, type PeerTable, type RelayedFrom, type RelayedTable, type RowValues, type RowVersion } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { applyChanges, nullKey, type AppliedTable } from './apply-changes.ts'
import { isRelayed, type Batch } from './batch.ts'
import { unguarded } from './guard-tables.ts'
import { withOrigin } from './mark-origin.ts'
import type { PeerNames } from './peer-names.ts'
import { readShape, shapeDifference, type PeerShape } from './peer-shape.ts'
import { writeRelayed, type KeptSender } from './peer-state.ts'
import { rowStatements } from './row-statements.ts'
import { triggerFault, withoutTriggers } from './suspend-triggers.ts'
import type { SqlitePropagationHost } from './sqlite-propagation-target.ts'
import { TableFailed } from './table-failed.ts'
import type { VersionedApply } from './versions/versioned-apply.ts'

export interface ApplyContext {
  readonly names: PeerNames
  readonly host: Pick<SqlitePropagationHost, 'maxParameters' | 'keepsForeignKeys' | 'keepsTriggers'>
  readonly guards: boolean
  readonly known: KeptSender
  /** The receiving instance. */
  readonly own: string | undefined
  /** Tables of the instance that made a passed-on change. */
  readonly relayed: ReadonlyMap<string, RelayedTable>
  /** Tables that could not be written to in an earlier try. */
  readonly failed: ReadonlySet<string>
  /** Where several instances write. */
  readonly versioned: VersionedApply | undefined
}

/** A batch with how each of its tables is written here. */
export interface PlannedBatch extends Batch {
  readonly applied: readonly (AppliedTable | undefined)[]
}

/**
 * Applies batches that belong together, and then does what `last` does with the table of the first. Reads all that it needs to know, then
 * writes, as hosts without interactive transactions want it. Errors: `TableFailed`.
 */
export async function applyBatches(
  transaction: BatchTransaction, batches: readonly Batch[], context: ApplyContext, last?: (table: AppliedTable | undefined) => Promise<void>,
): Promise<void> {
  const shapes = await readShapes(transaction, batches)
  const planned = batches.map((batch) => ({ ...batch, applied: batch.tables.map((table, index) => appliedTable(table, { index, batch, shape: shapes.get(table.name), context })) }))
  if (!planned.some(({ applied }) => applied.some((table) => table !== undefined))) return
  const touched = [...shapes.values()].filter((shape) => shape !== undefined)
  const chosen = context.versioned === undefined ? planned : await context.versioned.choose(transaction, planned, shapes)
  const [first] = planned
  const write = async (): Promise<void> => {
    const groups = groupsOf(chosen)
    for (const [index, group] of groups.entries()) await writeGroup(transaction, group, { context, touched, index })
    if (last !== undefined && first !== undefined) {
      await withOrigin(transaction, touched, { from: { ...first.from, ...numbered(first, groups.length) }, sentBy: first.origin, work: () => last(first.applied[0]) })
    }
    await noteRelayed(transaction, planned, context)
    await context.versioned?.settle(transaction)
  }
  const guarded = context.guards ? (): Promise<void> => unguarded(transaction, context.names, write) : write
  await withoutTriggers(transaction, touched, { names: context.names, work: guarded })
}

/** Changes that this instance passes on as one: of one transaction, or of one version. */
interface Group {
  readonly version: RowVersion | undefined
  readonly batches: readonly PlannedBatch[]
}

function groupsOf(batches: readonly PlannedBatch[]): readonly Group[] {
  const groups: { readonly version: RowVersion | undefined; readonly batches: PlannedBatch[] }[] = []
  for (const batch of batches) {
    for (const piece of piecesOf(batch)) {
      const group = groups.at(-1)
      if (group !== undefined && group.version === piece.version) group.batches.push(piece.batch)
      else groups.push({ version: piece.version, batches: [piece.batch] })
    }
  }
  return groups
}

function* piecesOf(batch: PlannedBatch): Generator<{ readonly version: RowVersion | undefined; readonly batch: PlannedBatch }> {
  const { versions, changes } = batch
  if (versions === undefined) return yield { version: undefined, batch }
  for (let from = 0; from < changes.length;) {
    const version = versions[from]
    let to = from + 1
    while (to < changes.length && versions[to] === version) to += 1
    yield { version, batch: { ...batch, changes: changes.slice(from, to), versions: undefined } }
    from = to
  }
}

interface GroupOptions {
  readonly context: ApplyContext
  readonly touched: readonly PeerShape[]
  readonly index: number
}

/** Where several instances write, rows may be in each other's way: the group is tried again without those that give way. */
async function writeGroup(transaction: BatchTransaction, group: Group, options: GroupOptions): Promise<void> {
  const { context: { versioned } } = options
  const { version } = group
  if (versioned === undefined || version === undefined) return writeMarked(transaction, group, options)
  for (let left = group; ;) {
    const failure = await attempted(transaction, () => writeMarked(transaction, left, options))
    if (failure === undefined) return versioned.finish(left.batches)
    const batches = failure.error.code === 'TARGET_CONSTRAINT' ? await versioned.displace(transaction, left.batches, version) : undefined
    // Fewer changes each time, or fewer rows in their way.
    if (batches === undefined) throw failure
    left = { version, batches }
  }
}

/** Undoes what failed, and tells which table it was. */
async function attempted(transaction: BatchTransaction, work: () => Promise<void>): Promise<TableFailed | undefined> {
  await transaction.run('SAVEPOINT tidemark_group')
  const failure = await work().then(() => undefined, (error: unknown) => {
    if (error instanceof TableFailed) return error
    throw error
  })
  if (failure !== undefined) await transaction.run('ROLLBACK TO tidemark_group')
  await transaction.run('RELEASE tidemark_group')
  return failure
}

/** With the marks that say whose changes they are. */
async function writeMarked(transaction: BatchTransaction, { version, batches }: Group, { context, touched, index }: GroupOptions): Promise<void> {
  const [first] = batches
  if (first === undefined || batches.every(({ changes }) => changes.length === 0)) return
  await withOrigin(transaction, touched, {
    from: { ...first.from, ...numbered(first, index), version },
    sentBy: first.origin,
    work: async () => {
      for (const { changes, origin, applied } of batches) {
        // What is not here is not here before any of these: one of them may bring it back.
        await context.versioned?.noteAbsent(transaction, changes)
        await applyChanges(transaction, changes, { origin, tables: applied, maxParameters: context.host.maxParameters })
      }
    },
  })
}

/** Rows of a snapshot that come from their maker itself get a number each time, so that others know them when they come again. */
function numbered(batch: Batch, index: number): Partial<RelayedFrom> {
  return batch.copy === undefined ? {} : { copy: { via: batch.copy.via, number: toSequence(batch.copy.first + index) } }
}

async function noteRelayed(transaction: BatchTransaction, batches: readonly PlannedBatch[], { names }: ApplyContext): Promise<void> {
  const [first] = batches
  if (first === undefined || !isRelayed(first)) return
  const tables = new Set(batches.flatMap(({ applied }) => applied.flatMap((table) => table?.table.name ?? [])))
  for (const name of tables) await writeRelayed(transaction, names, { from: first.from, name })
}

async function readShapes(transaction: BatchTransaction, batches: readonly Batch[]): Promise<ReadonlyMap<string, PeerShape | undefined>> {
  const names = [...new Set(batches.flatMap(({ tables }) => tables.map((table) => table.name)))]
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
