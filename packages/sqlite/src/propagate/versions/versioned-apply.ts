import { observe, requireNear, timeIn, type PeerChange, type PeerTable, type RowValues, type RowVersion, type VersionedWrites } from '@tidemark/core/adapter'
import { slots } from '../../capture/entry-sql.ts'
import { ENTRY, entryCode } from '../../capture/log-entry.ts'
import type { LogNames } from '../../capture/log-names.ts'
import type { BatchTransaction } from '../../driver.ts'
import type { PlannedBatch } from '../apply-batches.ts'
import type { PeerNames } from '../peer-names.ts'
import type { PeerShape } from '../peer-shape.ts'
import { boundKey } from './key-text.ts'
import { newerChanges, writeVersions, type VersionedChange, type Winner } from './newer-changes.ts'
import { stampLog } from './stamp-log.ts'
import { readClock, writeClock } from './version-tables.ts'

export interface VersionedContext {
  readonly names: PeerNames
  readonly log: LogNames
  /** This instance. */
  readonly own: string
  readonly writes: VersionedWrites
}

/** One transaction that applies changes of others where several instances write. */
export class VersionedApply {
  readonly #context: VersionedContext
  /** What was applied, by table. */
  readonly #winners = new Map<string, Winner[]>()
  /** Deletions of rows that are not here. */
  readonly #absent = new Map<PeerChange, PeerTable>()
  #newest: RowVersion | undefined

  constructor(context: VersionedContext) {
    this.#context = context
  }

  /** The changes that win over what is here, which gets its versions first. Errors: `CLOCK_AHEAD`. */
  async choose(transaction: BatchTransaction, batches: readonly PlannedBatch[], shapes: ReadonlyMap<string, PeerShape | undefined>): Promise<readonly PlannedBatch[]> {
    const { writes: { now, maxDriftMs, tombstoneMs }, names, log, own } = this.#context
    for (const version of new Set(batches.flatMap(({ versions }) => versions ?? []))) {
      requireNear(timeIn(version), now(), maxDriftMs)
      if (this.#newest === undefined || version > this.#newest) this.#newest = version
    }
    await stampLog(transaction, { names, log, origin: own, nowMs: now(), tombstoneMs })
    const chosen: PlannedBatch[] = []
    for (const batch of batches) chosen.push(await this.#chosen(transaction, batch, shapes))
    return chosen
  }

  /**
   * Logs deletions of rows that are not here: nothing fires for them, and yet those who hear of others' changes from this instance must learn
   * since when the row is gone.
   */
  async noteAbsent(transaction: BatchTransaction, changes: readonly PeerChange[]): Promise<void> {
    for (const change of changes) {
      const table = this.#absent.get(change)
      if (table !== undefined && change.op === 'delete') await this.#logGone(transaction, table, change.values)
    }
  }

  async #logGone(transaction: BatchTransaction, table: PeerTable, key: RowValues): Promise<void> {
    const { log } = this.#context
    const bound = boundKey(table, key)
    await transaction.run(
      `INSERT INTO ${log.log} (k, ${slots(bound.length).join(', ')}) SELECT id * ${entryCode(1, 0)} + ${ENTRY.refreshGone}, ${bound.map(() => '?').join(', ')} FROM ${log.layouts} WHERE is_current = 1 AND table_name = ?`,
      [...bound, table.name],
    )
  }

  /** Notes the versions of what was applied; what that wrote to the log has them now. */
  async settle(transaction: BatchTransaction): Promise<void> {
    const { names, log } = this.#context
    for (const [table, winners] of this.#winners) await writeVersions(transaction, names, { table, winners })
    const { time } = await readClock(transaction, names)
    const [head] = await transaction.query(`SELECT max(seq) FROM ${log.log}`)
    await writeClock(transaction, names, { time: this.#newest === undefined ? time : observe(time, timeIn(this.#newest)), stamped: Number(head?.[0] ?? 0) })
  }

  async #chosen(transaction: BatchTransaction, batch: PlannedBatch, shapes: ReadonlyMap<string, PeerShape | undefined>): Promise<PlannedBatch> {
    const winning = new Set<VersionedChange['change']>()
    for (const [index, applied] of batch.applied.entries()) {
      const shape = applied === undefined ? undefined : shapes.get(applied.table.name)
      if (applied === undefined || shape === undefined) continue
      const winners = await newerChanges(transaction, changesOf(batch, index), { names: this.#context.names, table: applied.table, shape, own: this.#context.own, writes: this.#context.writes, isStrict: batch.from.copy !== undefined })
      const { name } = applied.table
      this.#winners.set(name, [...this.#winners.get(name) ?? [], ...winners])
      for (const { change, existed } of winners) {
        winning.add(change)
        if (change.op === 'delete' && !existed) this.#absent.set(change, applied.table)
      }
    }
    const kept = batch.changes.flatMap((change, index) => (change.op !== 'truncate' && winning.has(change) ? [index] : []))
    return { ...batch, changes: kept.flatMap((index) => batch.changes[index] ?? []), versions: kept.flatMap((index) => batch.versions?.[index] ?? []) }
  }
}

function changesOf({ changes, versions }: PlannedBatch, table: number): readonly VersionedChange[] {
  return changes.flatMap((change, index) => {
    const version = versions?.[index]
    return change.op === 'truncate' || change.table !== table || version === undefined ? [] : [{ change, version }]
  })
}
