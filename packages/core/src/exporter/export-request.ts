import type { Consistency, ExportTableSelection } from '../dialect/export-source.ts'
import type { DumpFormatName, DumpLayout } from '../dump/manifest.ts'
import type { SecretInput } from '../util/secret.ts'

/** How much one step does before it lets the host do other things. Whatever is reached first ends it. */
export interface ExportBudget {
  /** Default 20,000. */
  readonly ms?: number | undefined
  /** Of the dump. Default: no limit. */
  readonly bytes?: number | undefined
}

export interface ExportCallback {
  /** Called once the export has completed or failed. Its origin must be among `callbacks.allowedOrigins`. */
  readonly url: string
  /**
   * Signs the call: `whsec_` and the key in base64, 24 to 64 bytes. One given as text or function is known to this process only and never
   * stored; after a restart `callbacks.secret` signs, so that a reference by `env` or that option is what lasts.
   */
  readonly secret?: SecretInput | undefined
}

/** What to export, and into what. */
export interface ExportRequest {
  /** Default `sql`: statements that the engine's own shell loads. `csv-guarded` is `csv` for spreadsheets: see the guard in what an export guarantees. */
  readonly format?: DumpFormatName | undefined
  /** `single`: one object (with formats other than SQL, one a table). `directory`: objects of bounded size, each with its digest. Default `single`. */
  readonly layout?: DumpLayout | undefined
  /** Default: all that are the user's. */
  readonly tables?: readonly (string | ExportTableSelection)[] | undefined
  /** Left out: exact names, or regular expressions. */
  readonly exclude?: readonly (string | RegExp)[] | undefined
  /** `schema`: no rows; `data`: no definitions. Default `all`. */
  readonly content?: 'all' | 'schema' | 'data' | undefined
  /** Default `auto`: the best that the source can do, named in the manifest. `fuzzy` is never chosen unless asked for. */
  readonly consistency?: Consistency | 'auto' | undefined
  /** Size of a part, or of an object in a directory, in bytes. Default: 8 MiB, more where the estimate says that 10,000 parts would not do. */
  readonly partBytes?: number | undefined
  /** No SQL statement is longer, in bytes. Default 100,000, what D1 and Durable Objects take. */
  readonly maxStatementBytes?: number | undefined
  /** Keep row numbers that no column names (SQLite). Default false. */
  readonly keepRowids?: boolean | undefined
  /** Name of a compression, such as `gzip`; only for layout `directory`. Default: none. */
  readonly compression?: string | undefined
  /** Encrypt with the exporter's `encryption`; only for layout `directory`, and others are refused unless this is false. Default: whether that is given. */
  readonly encrypt?: boolean | undefined
  /** Tables read side by side; only for layout `directory`. Default: as many as the source can, at most 4. */
  readonly concurrency?: number | undefined
  readonly budget?: ExportBudget | undefined
  /** Time between two steps in which the source is left alone, in milliseconds. Default 0. */
  readonly pauseMs?: number | undefined
  readonly callback?: ExportCallback | undefined
  /** File name without its extension. Default `dump_YYYYMMDD-HHMMSS`, in UTC. */
  readonly fileName?: string | undefined
  /** How long the objects of an ended export are kept, in milliseconds, until `sweep` deletes them. Default: for ever. */
  readonly ttlMs?: number | undefined
}
