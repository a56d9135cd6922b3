import type { ColumnSchema } from '@tidemark/core/adapter'
import type { Collation } from '../collated.ts'

/** A part of what orders the rows of a table. */
export interface KeyTerm extends Collation {
  /** A quoted column, or a name of the row number. */
  readonly expression: string
  /** Name of a column that may hold values of any type; `undefined` for the row number, which is an integer. */
  readonly column: string | undefined
}

/** A table as it is read. */
export interface ExportedTable {
  readonly name: string
  /** Without generated and hidden ones. */
  readonly columns: readonly ColumnSchema[]
  readonly primaryKey: readonly string[]
  readonly key: readonly KeyTerm[]
  /** A name by which the row number can be written and read, where no column names it. */
  readonly rowid: string | undefined
  readonly where: string | undefined
  readonly limit: number | undefined
  readonly isVirtual: boolean
  /** Where its rows are to be read instead, as a table in SQL that gives one page of them by itself; its key is behind its columns. */
  readonly source?: ((page: SourcePage) => string) | undefined
}

export interface SourcePage {
  /** Literals of the key behind which to begin. */
  readonly after?: string | undefined
  /** Literals of the key of the only row that is wanted. */
  readonly only?: string | undefined
  readonly limit: number
}
