/** How far an import is. Counts begin with the import, not with this process. */
export interface ImportStatus {
  readonly importId: string
  readonly status: 'loading' | 'completed'
  /** Changed by statements, or inserted. */
  readonly rows: number
  /** What the dump says; `undefined` for a file of SQL. */
  readonly totalRows: number | undefined
  /** Loaded: of the dump as it was before compression, or of the file. */
  readonly bytes: number
  readonly totalBytes: number
  /** What people should know, such as foreign keys without the row that they name. Empty until completed. No row values. */
  readonly notes: readonly string[]
}
