import { toSequence, type RelayedFrom, type RowVersion } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { applyChanges } from './apply-changes.ts'
import type { ApplyContext, PlannedBatch } from './apply-context.ts'
import type { Batch } from './batch.ts'
import { withOrigin } from './mark-origin.ts'
import type { PeerShape } from './peer-shape.ts'
import { TableFailed } from './table-failed.ts'

/** Changes that this instance passes on as one: of one transaction, or of one version. */
export interface Group {
  readonly version: RowVersion | undefined
  readonly batches: readonly PlannedBatch[]
}

export function groupsOf(batches: readonly PlannedBatch[]): readonly Group[] {
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

export interface GroupOptions {
  readonly context: ApplyContext
  readonly touched: readonly PeerShape[]
  readonly index: number
}

/** Where several instances write, rows may be in each other's way: the group is tried again without those that give way. */
export async function writeGroup(transaction: BatchTransaction, group: Group, options: GroupOptions): Promise<void> {
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
export function numbered(batch: Batch, index: number): Partial<RelayedFrom> {
  return batch.copy === undefined ? {} : { copy: { via: batch.copy.via, number: toSequence(batch.copy.first + index) } }
}
