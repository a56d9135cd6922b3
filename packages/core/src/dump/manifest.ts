import type { Consistency, RenderOptions } from '../dialect/export-source.ts'
import type { ColumnSchema } from '../dialect/table.ts'

/** Greatest manifest version that this release reads; it writes this one. */
export const MANIFEST_VERSION = 1

/** `csv-guarded` is CSV in which no text is one that a spreadsheet would run as a formula. */
export const DUMP_FORMATS = ['sql', 'csv', 'csv-guarded', 'ndjson', 'parquet'] as const

/** How rows are written. */
export type DumpFormatName = (typeof DUMP_FORMATS)[number]

/** `single`: one object, or one a table; `directory`: objects of bounded size. */
export type DumpLayout = 'single' | 'directory'

export interface ManifestTable {
  readonly name: string
  readonly columns: readonly Omit<ColumnSchema, 'onUnrepresentable'>[]
  readonly key: readonly string[]
  readonly rows: number
}

/** A stretch of an object that was made at once: a part of an upload, or a whole object. */
export interface ManifestChunk {
  /** As rendered: before compression and encryption. */
  readonly bytes: number
  /** Of those bytes, in hex; in an encrypted dump keyed (HMAC), since the digest of little tells what it is. */
  readonly sha256: string
}

export interface ManifestObject {
  /** Relative to the dump: `dump.sql`, `rows/0001-000001.ndjson.gz`. */
  readonly path: string
  /** What is in it: `dump` (definitions and rows), `before` and `after` (definitions), `rows`. */
  readonly role: 'dump' | 'before' | 'rows' | 'after'
  /** Index in `tables`, for `rows`. */
  readonly table: number | undefined
  readonly rows: number
  /** As stored. */
  readonly bytes: number
  readonly compression: string | undefined
  /** In order; together they are the object. */
  readonly chunks: readonly ManifestChunk[]
}

export interface ManifestEncryption {
  readonly algorithm: 'AES-256-GCM'
  /** Names the key, never holds it. */
  readonly keyId: string
  /** Derived from the key: tells another key from damage. In hex. */
  readonly keyCheck: string
  /** HMAC-SHA-256 over the rest of the manifest, in hex. */
  readonly signature: string
}

/** Written last: a dump without one is not complete. */
export interface Manifest {
  readonly kind: 'tidemark-dump'
  readonly version: number
  readonly id: string
  readonly generator: string
  readonly dialect: string
  readonly engineVersion: string
  readonly format: DumpFormatName
  readonly layout: DumpLayout
  readonly content: 'all' | 'schema' | 'data'
  /** Tables as they were asked for by name; `undefined`: all that were not left out. */
  readonly namedTables: readonly string[] | undefined
  readonly consistency: { readonly kind: Consistency; readonly cut: string | undefined }
  readonly schemaHash: string
  /** How it was rendered and cut, so that a database can be rendered again and compared. */
  readonly render: RenderOptions
  readonly partBytes: number
  /** Of every object, once it is compressed; absent: in clear. */
  readonly encryption?: ManifestEncryption | undefined
  readonly tables: readonly ManifestTable[]
  /** In the order in which they are to be loaded. */
  readonly objects: readonly ManifestObject[]
  /** SHA-256 over the digests of all chunks, as bytes, in order; in hex. */
  readonly sha256: string
  readonly notes: readonly string[]
  /** Milliseconds since 1970. */
  readonly startedAtMs: number
  readonly completedAtMs: number
}
