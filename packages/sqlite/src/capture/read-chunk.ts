import { TidemarkError, toSequence, type ReadChunkRequest, type RowValues, type SnapshotChunk, type Value } from '@tidemark/core/adapter'
import { collated } from '../collated.ts'
import type { SqliteQuery } from '../driver.ts'
import { quote } from '../quote.ts'
import type { CapturedTables } from './captured-tables.ts'
import { entryDigest } from './entry-digest.ts'
import { eventBytes } from './event-bytes.ts'
import { toPosition } from './log-place.ts'
import type { LogHead } from './log-view.ts'
import { decodeKey, encodeKey } from './key-cursor.ts'
import type { TableLayout } from './table-layout.ts'
import { boundValue, valueSql, type ReadingOptions, type ValueForm } from './value-reading.ts'

export interface ChunkQuery {
  readonly layout: TableLayout
  readonly after: readonly Value[] | undefined
  readonly rows: number
}

/** The values by which the table is read first, then the row's as an entry has them. */
export function chunkQuery({ layout, after, rows }: ChunkQuery, form: ValueForm): SqliteQuery {
  const names = layout.rowid === undefined ? [] : [layout.rowid]
  const values = [...layout.scan, ...names, ...layout.columns.map((column) => column.name)].map((name) => valueSql(`s.${quote(name)}`, form))
  const columns = layout.scan.map((name, index) => collated(`s.${quote(name)}`, { collation: layout.scanCollations?.[index] ?? undefined, isOwn: false })).join(', ')
  const bound = (after ?? []).map((value) => boundValue(value, form))
  const where = after === undefined ? '' : `WHERE (${columns}) > (${bound.map(({ sql }) => sql).join(', ')}) `
  return {
    sql: `SELECT ${values.map((value, index) => `${value} AS c${index}`).join(', ')} FROM ${quote(layout.table)} AS s ${where}ORDER BY ${columns} LIMIT ${rows}`,
    parameters: bound.flatMap(({ parameters }) => parameters),
  }
}

export interface ChunkRequest {
  readonly request: ReadChunkRequest
  readonly layout: TableLayout
  readonly head: LogHead
  readonly rows: readonly RowValues[]
  /** How many rows were asked for. */
  readonly wanted: number
  readonly reading: ReadingOptions
  readonly source: string
  readonly nowMs: number
}

/** Rows as they stood at the log's end, up to the limit of bytes. */
export function toChunk(tables: CapturedTables, chunk: ChunkRequest): SnapshotChunk {
  const { layout, head, rows, reading, source, nowMs, wanted } = chunk
  const offset = layout.scan.length
  const decoder = tables.decoder(layout.id, reading)
  const context = { source, epoch: head.epoch, receivedAtMs: nowMs }
  const used = fitting(rows, chunk.request.limit.bytes)
  const events = rows.slice(0, used.count).map((row, index) => {
    const tx = { id: `${head.epoch}:${toSequence(head.seq)}:${layout.table}`, sequence: index, last: index === used.count - 1, committedAtMs: undefined, origin: undefined }
    const id = `${source}:${head.epoch}:${toSequence(head.seq)}:${layout.table}:${entryDigest(0, row.slice(0, offset))}`
    return decoder.snapshot({ context, seq: head.seq, tx }, { row, at: offset }, id)
  })
  const last = rows[used.count - 1]
  return {
    events,
    bytes: used.bytes,
    through: toPosition({ epoch: head.epoch, seq: head.seq, digest: head.digest, unit: undefined }),
    last: last === undefined ? undefined : encodeKey(keyOf(tables, chunk, last), layout.isScanUnstable ? head.schemaVersion : undefined),
    isLast: rows.length < wanted && used.count === rows.length,
  }
}

/** The values of the order as they are, so that they can be compared with again. */
function keyOf(tables: CapturedTables, { layout, reading }: ChunkRequest, row: RowValues): readonly Value[] {
  return layout.scan.map((_, index) => tables.text(row[index] ?? null, reading))
}

/** Where to go on; from the beginning when the numbers of the rows may be others now. */
export function resumeAfter(after: string | undefined, schemaVersion: number, layout: TableLayout): readonly Value[] | undefined {
  if (after === undefined) return undefined
  const { key, version } = decodeKey(after)
  if (key.length !== layout.scan.length) throw new TidemarkError('STATE_CORRUPT', 'The checkpoint names a row by another key than the table has.')
  return layout.isScanUnstable && version !== schemaVersion ? undefined : key
}

function fitting(rows: readonly RowValues[], maxBytes: number): { readonly count: number; readonly bytes: number } {
  let bytes = 0
  let count = 0
  for (const row of rows) {
    if (count > 0 && bytes >= maxBytes) break
    bytes += eventBytes(row)
    count += 1
  }
  return { count, bytes }
}
