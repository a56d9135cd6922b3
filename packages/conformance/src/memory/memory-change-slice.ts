import type { SliceLimit } from '@tidemark/core/adapter'
import { hex } from '../assert/cell.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import type { MemoryLogRecord, MemorySchemaRecord } from './memory-change-log.ts'
import type { MemoryPlace } from './memory-change-position.ts'

type ChangeRecord = MemoryLogRecord & { readonly kind: 'change' }

/** A change with its place in the transaction it is told to be of. */
export interface PlacedChange {
  readonly record: ChangeRecord
  readonly transaction: string
  readonly sequence: number
  readonly last: boolean
  readonly within: MemoryPlace['within']
}

export interface PlacedSlice {
  readonly schemas: readonly MemorySchemaRecord[]
  readonly changes: readonly PlacedChange[]
  readonly bytes: number
  readonly end: MemoryPlace
  readonly isLast: boolean
}

interface SliceRequest {
  readonly from: MemoryPlace
  readonly records: readonly MemoryLogRecord[]
  readonly isCaptured: (table: string) => boolean
  readonly transactions: 'exact' | 'merged'
  readonly limit: SliceLimit
}

/** The next slice: whole transactions, or a part of one. `records` are those of the log up to where reading may go. */
export function cutSlice(request: SliceRequest): PlacedSlice {
  const { from, records, isCaptured, limit } = request
  const ahead = records.filter((record) => record.number > from.number)
  const schemas: MemorySchemaRecord[] = []
  const run: ChangeRecord[] = []
  let stop: MemoryLogRecord | undefined
  for (const record of ahead) {
    if (record.kind === 'change' && isCaptured(record.change.table)) run.push(record)
    if (record.kind !== 'schema' || !isCaptured(record.schema.table)) continue
    // A change of columns takes effect before the first event of a slice, so none has events on both sides of it.
    if (run.length > 0) { stop = record; break }
    schemas.push(record.schema)
  }
  const placed = request.transactions === 'exact' ? placeExact(run, request) : placeMerged(run, request)
  const changes = fit(placed, limit)
  const isWhole = changes.length === run.length
  const last = changes.at(-1)
  const end = isWhole && stop === undefined ? ahead.at(-1) ?? from : last?.record ?? from
  return {
    schemas, changes, isLast: isWhole && stop === undefined,
    bytes: changes.reduce((sum, change) => sum + bytesOf(change), 0),
    end: last === undefined || last.last ? { number: end.number, stamp: end.stamp } : { number: end.number, stamp: end.stamp, within: last.within },
  }
}

function placeExact(run: readonly ChangeRecord[], { records, isCaptured }: SliceRequest): readonly PlacedChange[] {
  return run.map((record) => {
    const peers = records.filter((one) => one.kind === 'change' && one.transaction === record.transaction && isCaptured(one.change.table))
    const sequence = peers.indexOf(record)
    return { record, transaction: String(record.transaction), sequence, last: sequence === peers.length - 1, within: undefined }
  })
}

/** All that is there is one transaction; a slice within it goes on with it, whatever has been committed since. */
function placeMerged(run: readonly ChangeRecord[], { from, records, isCaptured }: SliceRequest): readonly PlacedChange[] {
  const within = from.within ?? { first: run[0]?.number ?? 0, end: run.at(-1)?.number ?? 0 }
  const peers = records.filter((one) => one.kind === 'change' && isCaptured(one.change.table) && one.number >= within.first && one.number <= within.end)
  return run.filter((record) => record.number <= within.end).map((record) => {
    const sequence = peers.indexOf(record)
    return { record, transaction: `${within.first}-${within.end}`, sequence, last: sequence === peers.length - 1, within }
  })
}

/** As many as the limit lets in, at least one; a transaction that is begun behind another is let in whole or not at all. */
function fit(placed: readonly PlacedChange[], limit: SliceLimit): readonly PlacedChange[] {
  let bytes = 0
  let count = 0
  for (const change of placed) {
    bytes += bytesOf(change)
    if (count > 0 && (count >= limit.events || bytes > limit.bytes)) break
    count += 1
    if (change.last && placed[0]?.sequence !== 0) return placed.slice(0, count)
  }
  const taken = placed.slice(0, count)
  if (taken.at(-1)?.last !== false) return taken
  const lastCommit = taken.findLastIndex((change) => change.last)
  return lastCommit === -1 ? taken : taken.slice(0, lastCommit + 1)
}

function bytesOf({ record: { change } }: PlacedChange): number {
  return rowBytes(change.before?.row) + rowBytes(change.after?.row)
}

export function rowBytes(row: RowRecord = {}): number {
  return Object.values(row).reduce<number>((sum, value) => sum + (value instanceof Uint8Array ? hex(value).length / 2 : typeof value === 'string' ? value.length : 8), 0)
}
