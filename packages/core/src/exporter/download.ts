import type { AbortOptions } from '../dialect/source.ts'
import type { ByteRange, ObjectBody } from '../storage/object-storage.ts'
import type { ExportContext } from './export-context.ts'
import type { ExportState } from './export-state.ts'
import { mainKey } from './export-status.ts'

export interface DownloadOptions extends AbortOptions {
  /** Bytes from `start` up to and not with `end`. */
  readonly range?: ByteRange | undefined
  /** An object of the dump, as its manifest has it. Default: the dump itself where it is one object of SQL, else the manifest. */
  readonly path?: string | undefined
}

/** An object on its way. Dispose the body, or read it to its end. */
export interface Download {
  readonly body: ObjectBody
  /** Of the whole object. */
  readonly bytes: number
  readonly etag: string
  readonly contentType: string
  readonly fileName: string
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  sql: 'application/sql', csv: 'text/csv', ndjson: 'application/x-ndjson', parquet: 'application/vnd.apache.parquet', json: 'application/json', gz: 'application/gzip', zst: 'application/zstd',
}

export async function openDownload({ storage }: ExportContext, state: ExportState, { range, path, signal }: DownloadOptions): Promise<Download> {
  const key = path === undefined ? mainKey(state) : `${state.id}/${path}`
  const body = await storage.get(key, { range, signal })
  const fileName = key.slice(key.lastIndexOf('/') + 1)
  const extension = fileName.slice(fileName.lastIndexOf('.') + 1)
  return { body, bytes: body.object.bytes, etag: body.object.etag, contentType: CONTENT_TYPES[extension] ?? 'application/octet-stream', fileName }
}
