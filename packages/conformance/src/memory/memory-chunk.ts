import type { SliceLimit, Value } from '@tidemark/core/adapter'
import { hex } from '../assert/cell.ts'
import type { RowRecord } from '../harness/table-spec.ts'
import { compareLists } from './compare-values.ts'
import { rowBytes } from './memory-change-slice.ts'
import type { MemoryChangeTable } from './memory-change-table.ts'

interface PlacedRow {
  readonly place: string
  readonly row: RowRecord
}

export interface MemoryChunk {
  readonly rows: readonly PlacedRow[]
  readonly last: string | undefined
  readonly isLast: boolean
}

/** The next rows in key order. */
export function rowsAfter(table: MemoryChangeTable, after: string | undefined, limit: SliceLimit): MemoryChunk {
  const from = after === undefined ? undefined : decode(after)
  const ahead = [...table.rows].map(([place, row]) => ({ place, row }))
    .filter((one) => from === undefined || compareLists(keyOf(table, one), from) > 0)
    .toSorted((left, right) => compareLists(keyOf(table, left), keyOf(table, right)))
  const rows: PlacedRow[] = []
  let bytes = 0
  for (const one of ahead) {
    bytes += rowBytes(one.row)
    if (rows.length > 0 && (rows.length >= limit.events || bytes > limit.bytes)) break
    rows.push(one)
  }
  const last = rows.at(-1)
  return { rows, last: last === undefined ? undefined : encode(keyOf(table, last)), isLast: rows.length === ahead.length }
}

function keyOf({ spec }: MemoryChangeTable, { place, row }: PlacedRow): readonly Value[] {
  return spec.key.length === 0 ? [Number(place.slice(1))] : spec.key.map((name) => row[name] ?? null)
}

/** Each value with the type it has, so that it comes back as it was. */
function encode(values: readonly Value[]): string {
  return JSON.stringify(values.map((value) => [value instanceof Uint8Array ? 'bytes' : typeof value, value instanceof Uint8Array ? hex(value) : String(value)]))
}

function decode(text: string): readonly Value[] {
  // `encode` is the only writer of these texts.
  const pairs = JSON.parse(text) as readonly (readonly [string, string])[]
  return pairs.map(([type, value]) => {
    switch (type) {
      case 'bigint': return BigInt(value)
      case 'number': return Number(value)
      case 'boolean': return value === 'true'
      case 'bytes': return Uint8Array.from(value.match(/../gu) ?? [], (pair) => Number.parseInt(pair, 16))
      default: return value
    }
  })
}
