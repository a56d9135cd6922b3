/** What our process is to copy; crosses to it as one JSON argument. */
export interface CopyRequest {
  readonly source: 'postgres' | 'mysql'
  readonly target: 'node' | 'libsql'
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
