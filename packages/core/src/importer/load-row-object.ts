import type { RowValues } from '../change/value.ts'
import { OBJECT_BEGIN, type DumpFormat } from '../dump/dump-format.ts'
import type { ManifestObject, ManifestTable } from '../dump/manifest.ts'
import { readChunks } from '../dump/read-chunks.ts'
import { ahead } from '../util/ahead.ts'
import { rowBytes } from '../util/row-bytes.ts'
import type { ImportPlace } from './import-place.ts'
import type { LoadObjectRequest } from './load-sql-object.ts'

/** Rows of one transaction, in bytes. */
const SLICE_BYTES = 8 * 1_048_576

export interface LoadRowsRequest extends LoadObjectRequest {
  readonly format: DumpFormat
  /** As the manifest has it: what the object is decoded by. */
  readonly table: ManifestTable
  /** As the target has it. */
  readonly into: ManifestTable
}

/**
 * Rows in slices of whole ones. It begins at the last place where the format could be entered; those that are loaded already are decoded and let go of. Gives the
 * place after each.
 */
export async function* loadRowObject(request: LoadRowsRequest): AsyncGenerator<ImportPlace> {
  const { session, index, object, format, table, into } = request
  const before = session.place.bytes
  const totalBytes = object.chunks.reduce((sum, { bytes }) => sum + bytes, 0)
  let loaded = session.place.offset
  let entry = session.place.entry ?? OBJECT_BEGIN
  let decoded = entry.row
  let slice: RowValues[] = []
  let sliceBytes = 0
  const flush = async (isLast: boolean): Promise<ImportPlace> => {
    loaded += slice.length
    const next = isLast ? { object: index + 1, chunk: 0, offset: 0, bytes: before + totalBytes } : { object: index, chunk: 0, offset: loaded, entry, bytes: before }
    await session.insertRows(into, slice, next)
    slice = []
    sliceBytes = 0
    return session.place
  }
  for await (const { rows, end } of ahead(format.decode(table, bytesFrom(request, entry.byte), entry))) {
    const fresh = decoded >= loaded ? rows : rows.slice(loaded - decoded)
    decoded += rows.length
    slice.push(...fresh)
    sliceBytes += rowBytes(fresh)
    if (end !== undefined) entry = { byte: end, row: decoded }
    if (sliceBytes >= SLICE_BYTES) yield await flush(false)
  }
  yield await flush(true)
}

/** Whole chunks are read, each only once its digest is right. */
async function* bytesFrom({ object, read }: LoadRowsRequest, byte: number): AsyncGenerator<Uint8Array> {
  const { from, skip: first } = chunkAt(object, byte)
  let skip = first
  for await (const bytes of readChunks({ ...read, object, from })) {
    yield bytes.subarray(skip)
    skip = 0
  }
}

/** The chunk with that byte, and where it stands there. */
function chunkAt({ chunks }: ManifestObject, byte: number): { readonly from: number; readonly skip: number } {
  let skip = byte
  for (const [from, { bytes }] of chunks.entries()) {
    if (skip < bytes || from === chunks.length - 1) return { from, skip }
    skip -= bytes
  }
  return { from: 0, skip: 0 }
}
