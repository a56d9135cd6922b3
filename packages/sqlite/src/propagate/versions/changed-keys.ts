import { entryCode, ENTRY, type EntryKind } from '../../capture/log-entry.ts'
import type { LogNames } from '../../capture/log-names.ts'
import { readLayouts } from '../../capture/layouts.ts'
import type { TableLayout } from '../../capture/table-layout.ts'
import type { BatchTransaction } from '../../driver.ts'
import { keyTextSql } from './key-text.ts'

export interface ChangedKeysRequest {
  readonly log: LogNames
  readonly table: string
  /** By which the key's index compares, by column. */
  readonly collations: ReadonlyMap<string, string>
  /** Behind which number of the log. */
  readonly seq: bigint
}

/** The keys, as texts, of the table's rows that were written behind a place of the log. Costs one query where there are none. */
export async function changedKeys(transaction: Pick<BatchTransaction, 'query'>, request: ChangedKeysRequest): Promise<ReadonlySet<string>> {
  const { log, table, seq } = request
  const [head] = await transaction.query(`SELECT max(seq) FROM ${log.log}`)
  if (BigInt(Number(head?.[0] ?? 0)) <= seq) return new Set()
  const layouts = (await readLayouts(transaction, log)).map(({ layout }) => layout).filter((layout) => layout.table === table && layout.rowid === undefined)
  const keys = new Set<string>()
  for (const layout of layouts) {
    for (const [key] of await transaction.query(keysSql(layout, request), [seq])) keys.add(String(key))
  }
  return keys
}

function keysSql(layout: TableLayout, { log, collations }: ChangedKeysRequest): string {
  const places = layout.key.map((name) => layout.columns.findIndex((column) => column.name === name))
  const text = (slots: readonly string[]): string => keyTextSql(slots, layout.key.map((name) => collations.get(name)))
  const select = (key: string, kinds: readonly EntryKind[]): string => `SELECT ${key} FROM ${log.log} WHERE seq > ?1 AND k IN (${kinds.map((kind) => entryCode(layout.id, kind)).join(', ')})`
  const parts = [
    select(text(places.map((place) => `v${place}`)), [ENTRY.insert, ENTRY.update, ENTRY.updateAfter, ENTRY.refresh, ENTRY.delete, ENTRY.updateBefore]),
    select(text(places.map((_, index) => `v${index}`)), [ENTRY.refreshGone]),
    // The key that a moved row had; a part of it that stayed may be left out of the old image.
    ...layout.isCombined ? [select(text(places.map((place) => `ifnull(v${layout.columns.length + place}, v${place})`)), [ENTRY.update])] : [],
  ]
  return parts.join(' UNION ')
}
