export type BenchTarget = 'node' | 'libsql-client' | 'libsql'

/** What our process is to copy; crosses to it as one JSON argument. */
export interface CopyRequest {
  readonly source: 'postgres' | 'mysql'
  /** `libsql-client` is `@libsql/client` alone; `libsql` opens the file with the synchronous package of that name. */
  readonly target: BenchTarget
  readonly url: string
  readonly table: string
  /** The SQLite file to make. */
  readonly path: string
}

/** What our process prints as its only line. */
export interface CopyOutcome {
  readonly rows: number
  readonly heapMb: number
  readonly rssMb: number
}
