import type { ExportPlan, ExportView } from '../dialect/export-source.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { ManifestTable } from '../dump/manifest.ts'
import type { ChunkReader } from './chunks/chunk.ts'
import { EncodedChunks } from './chunks/encoded-chunks.ts'
import { PackedChunks, type PackMode } from './chunks/packed-chunks.ts'
import type { PageMeter } from './chunks/page-meter.ts'
import { RowPieces } from './chunks/row-pieces.ts'
import { SqlPieces } from './chunks/sql-pieces.ts'
import type { ExportSpec, StreamState } from './export-state.ts'
import { manifestTable } from './manifest-table.ts'

export interface ChunksRequest {
  readonly view: ExportView
  readonly stream: Pick<StreamState, 'role' | 'table' | 'from' | 'to' | 'cursor'>
  readonly spec: Pick<ExportSpec, 'layout' | 'consistency'>
  /** Of rows; `undefined`: SQL. */
  readonly format: DumpFormat | undefined
  readonly chunkBytes: number
  readonly meter: PageMeter
}

const NOTHING = new Uint8Array(0)

/** The chunks of a stream from its cursor on: a function of view, spec and cursor, so that a dump can be made again and compared. */
export function makeChunks({ view, stream, spec, format, chunkBytes, meter }: ChunksRequest): ChunkReader {
  const { cursor, from, to, table: index } = stream
  const packing = { chunkBytes, cursor, from, to }
  if (format === undefined || stream.role !== 'rows' || index === undefined) {
    const pieces = new SqlPieces({ view, to, cursor, meter })
    const mode = spec.layout === 'single' && stream.role === 'dump' ? 'pad' : modeOf(spec)
    return new PackedChunks({ ...packing, pieces, mode, header: preambleOf(view.plan, stream), heads: { first: stream.role !== 'before', later: spec.layout === 'directory', empty: false } })
  }
  const table: ManifestTable = manifestTable(view.plan, index)
  if (!format.appends) return new EncodedChunks({ view, format, table, index, chunkBytes, cursor, to, meter })
  const pieces = new RowPieces({ view, format, table, index, chunkBytes, cursor, meter })
  return new PackedChunks({ ...packing, pieces, mode: modeOf(spec), header: format.header(table), heads: { first: true, later: spec.layout === 'directory', empty: true } })
}

/** A single dump is loaded in one session, which its first section prepares. */
function preambleOf({ preamble }: ExportPlan, { role }: Pick<StreamState, 'role'>): Uint8Array {
  return role === 'dump' || preamble === undefined ? NOTHING : new TextEncoder().encode(preamble.map((statement) => `${statement}\n`).join(''))
}

/** A fuzzy view may give other bytes when it is asked again, so that nothing may be cut there. */
function modeOf({ layout, consistency }: Pick<ExportSpec, 'layout' | 'consistency'>): PackMode {
  return layout === 'single' && consistency !== 'fuzzy' ? 'split' : 'cut'
}
