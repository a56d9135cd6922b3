import { tick, toVersion } from '@tidemark/core/adapter'
import { ENTRY, entryCode, type EntryKind } from '../../capture/log-entry.ts'
import type { LogNames } from '../../capture/log-names.ts'
import { readLayouts } from '../../capture/layouts.ts'
import { isLeftOut, type TableLayout } from '../../capture/table-layout.ts'
import type { BatchTransaction } from '../../driver.ts'
import { quoteText } from '../../source/quote-text.ts'
import type { PeerNames } from '../peer-names.ts'
import { readKeyCollations } from '../peer-shape.ts'
import { forgetGone } from './forget-gone.ts'
import { keyTextSql } from './key-text.ts'
import { readClock, writeClock, type StoredClock } from './version-tables.ts'

export interface StampContext {
  readonly names: PeerNames
  readonly log: LogNames
  /** This instance. */
  readonly origin: string
  readonly nowMs: number
  readonly tombstoneMs: number
}

/**
 * Gives the changes of the log that have none yet one version, all the same: they were written since the last look. Under the write lock, so
 * that no write comes between; and before a peer's change is looked at, so that it meets what was written here with its version.
 */
export async function stampLog(transaction: BatchTransaction, context: StampContext): Promise<StoredClock> {
  const { names, log, origin, nowMs } = context
  const clock = await readClock(transaction, names)
  const [head] = await transaction.query(`SELECT max(seq) FROM ${log.log}`)
  const last = Number(head?.[0] ?? 0)
  if (last <= clock.stamped) return clock
  const time = tick(clock.time, nowMs)
  const version = toVersion(time, origin)
  for (const { layout } of await readLayouts(transaction, log)) {
    if (layout.rowid !== undefined) continue
    const collations = await readKeyCollations(transaction, layout.table)
    await transaction.run(versionsSql(context, layout, layout.key.map((name) => collations.get(name))), [version, BigInt(clock.stamped), BigInt(Math.trunc(nowMs))])
  }
  await transaction.run(`INSERT INTO ${names.stamps} VALUES (?, ?)`, [BigInt(last), version])
  await forgetGone(transaction, context)
  const now = { time, stamped: last }
  await writeClock(transaction, names, now)
  return now
}

/** The version and whether the row is gone, for the keys of a table's entries; of several entries of a key the last counts. */
function versionsSql({ names, log }: StampContext, layout: TableLayout, collations: readonly (string | undefined)[]): string {
  const places = layout.key.map((name) => layout.columns.findIndex((column) => column.name === name))
  const now = keyTextSql(places.map((place) => `v${place}`), collations)
  const keys = keyTextSql(places.map((_, index) => `v${index}`), collations)
  const select = (kinds: readonly EntryKind[], what: { readonly part: number; readonly key: string; readonly gone: 0 | 1 }): string =>
    `SELECT seq, ${what.part} AS part, ${what.key} AS key, ${what.gone} AS gone FROM ${log.log} WHERE seq > ?2 AND k IN (${kinds.map((kind) => entryCode(layout.id, kind)).join(', ')})`
  const moved = layout.isCombined ? [select([ENTRY.update], { part: 0, key: keyTextSql(places.map((place) => oldValue(layout, place)), collations), gone: 1 })] : []
  const parts = [
    ...moved,
    select([ENTRY.insert, ENTRY.update, ENTRY.updateAfter, ENTRY.refresh], { part: 1, key: now, gone: 0 }),
    select([ENTRY.delete, ENTRY.updateBefore], { part: 1, key: now, gone: 1 }),
    select([ENTRY.refreshGone], { part: 1, key: keys, gone: 1 }),
  ]
  return `INSERT INTO ${names.versions} SELECT ${quoteText(layout.table)}, key, ?1, gone * ?3 FROM (${parts.join(' UNION ALL ')}) WHERE key IS NOT NULL ORDER BY seq, part
    ON CONFLICT (name, key) DO UPDATE SET version = excluded.version, gone = excluded.gone`
}

/** As `unlessEqual` of the capture's entry-sql.ts has it: a value that did not change may be left out of the old image. */
function oldValue(layout: TableLayout, place: number): string {
  const old = `v${layout.columns.length + place}`
  const column = layout.columns[place]
  return column !== undefined && isLeftOut(column) ? `ifnull(${old}, v${place})` : old
}
