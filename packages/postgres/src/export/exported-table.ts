/** A table whose rows are exported, with all that its reads are derived from. */
export interface ExportedTable {
  /** In the catalogue. */
  readonly oid: string
  readonly schema: string
  readonly name: string
  /** Those that hold data, in order: no generated ones. */
  readonly columns: readonly string[]
  readonly key: readonly string[]
  /** Pages that its rows are in; 0 where rows have no place that can be asked for. */
  readonly pages: number
  readonly estimatedRows: number | undefined
  readonly estimatedBytes: number
  readonly where: string | undefined
  readonly limit: number | undefined
}

/** As it is called in an export. */
export function displayName({ schema, name }: Pick<ExportedTable, 'schema' | 'name'>): string {
  return `${schema}.${name}`
}
