import { NO_TIME, observe, requireNear, timeIn, toVersion, type PeerChange, type PeerTable, type RowValues, type RowVersion, type VersionedWrites } from '@tidemark/core/adapter'
import { slots } from '../../capture/entry-sql.ts'
import { ENTRY, entryCode } from '../../capture/log-entry.ts'
import type { LogNames } from '../../capture/log-names.ts'
import type { BatchTransaction } from '../../driver.ts'
import type { PlannedBatch } from '../apply-context.ts'
import type { PeerNames } from '../peer-names.ts'
import type { PeerShape } from '../peer-shape.ts'
import { forgetGone } from './forget-gone.ts'
import { boundKey } from './key-text.ts'
import { MessageRows } from './message-rows.ts'
import { newerChanges, readVersions, writeVersion, type VersionedChange } from './newer-changes.ts'
import { stampLog } from './stamp-log.ts'
import { UniqueContest, type Loser } from './unique-contest.ts'
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
  readonly #rows = new MessageRows()
  /** Deletions of rows that are not here. */
  readonly #absent = new Map<PeerChange, PeerTable>()
  #newest: RowVersion | undefined

  constructor(context: VersionedContext) {
    this.#context = context
  }

  /** The changes that win over what is here, which gets its versions first; and notes theirs. Errors: `CLOCK_AHEAD`. */
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

  /**
   * What is left of changes of one version that could not be written, once rows which lose a unique value to others are deleted: as this instance's
   * own changes, since only where the two meet does it show. `undefined` where there are none. Errors: `TableFailed`.
   */
  async displace(transaction: BatchTransaction, batches: readonly PlannedBatch[], version: RowVersion): Promise<readonly PlannedBatch[] | undefined> {
    const { losers, dropped } = await new UniqueContest(transaction, { ...this.#context, rows: this.#rows }).hold(batches, version)
    if (losers.length === 0 && dropped.size === 0) return undefined
    this.#rows.drop(dropped)
    for (const loser of losers) await this.#remove(transaction, loser)
    return batches.map((batch) => ({ ...batch, changes: batch.changes.filter((change) => !dropped.has(change)) }))
  }

  /** These have been written. */
  finish(batches: readonly PlannedBatch[]): void {
    for (const { changes } of batches) this.#rows.finish(changes)
  }

  async #remove(transaction: BatchTransaction, { applied: { table, shape, statements }, key, keyText, version }: Loser): Promise<void> {
    const { names, log, own } = this.#context
    const [found] = await readVersions(transaction, [key], { names, table, shape, own })
    if (found?.exists === true) await transaction.run(statements.delete, boundKey(table, key))
    else await this.#logGone(transaction, table, key)
    // One that the message writes again is only out of the way until then: that has its version already, and the deletion is older than anything.
    const left = this.#rows.left(table.name, keyText)
    if (left.length === 0) await writeVersion(transaction, names, { table: table.name, key: keyText, version, goneAtMs: this.#context.writes.now() })
    // Whoever reads the log finds the entries behind the last stamp with this version.
    await transaction.run(`INSERT OR REPLACE INTO ${names.stamps} SELECT max(seq), ? FROM ${log.log}`, [left.length === 0 ? version : toVersion(NO_TIME, own)])
    for (const { change } of left) if (change.op === 'delete') this.#absent.set(change, table)
  }

  /** What all that wrote to the log has versions now. Forgets what is too old: an instance that only receives has no other time to. */
  async settle(transaction: BatchTransaction): Promise<void> {
    const { names, log, own, writes: { now, tombstoneMs } } = this.#context
    await forgetGone(transaction, { names, log, origin: own, nowMs: now(), tombstoneMs })
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
      this.#rows.add(applied.table.name, winners)
      for (const { key, version, change } of winners) await writeVersion(transaction, this.#context.names, { table: applied.table.name, key, version, goneAtMs: change.op === 'delete' ? this.#context.writes.now() : undefined })
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
