import type { RowValues } from '../change/value.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { ManifestTable } from '../dump/manifest.ts'
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

/** Rows in slices of whole ones; those that are loaded already are decoded and let go of. Gives the place after each. */
export async function* loadRowObject(request: LoadRowsRequest): AsyncGenerator<ImportPlace> {
  const { session, index, object, read, format, table, into } = request
  const before = session.place.bytes
  const totalBytes = object.chunks.reduce((sum, { bytes }) => sum + bytes, 0)
  let loaded = session.place.offset
  let skip = loaded
  let slice: RowValues[] = []
  let sliceBytes = 0
  const flush = async (isLast: boolean): Promise<ImportPlace> => {
    loaded += slice.length
    const next = isLast ? { object: index + 1, chunk: 0, offset: 0, bytes: before + totalBytes } : { object: index, chunk: 0, offset: loaded, bytes: before }
    await session.insertRows(into, slice, next)
    slice = []
    sliceBytes = 0
    return session.place
  }
  for await (const { rows } of ahead(format.decode(table, readChunks({ ...read, object })))) {
    const fresh = skip === 0 ? rows : rows.slice(skip)
    skip = Math.max(0, skip - rows.length)
    slice.push(...fresh)
    sliceBytes += rowBytes(fresh)
    if (sliceBytes >= SLICE_BYTES) yield await flush(false)
  }
  yield await flush(true)
}
