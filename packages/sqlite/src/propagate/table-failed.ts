import { TidemarkError } from '@tidemark/core/adapter'

/** What is wrong with one table must not stop the others; what is wrong with the database stops all. */
const OF_ONE_TABLE: ReadonlySet<string> = new Set(['TARGET_CONSTRAINT', 'TARGET_ROW_TOO_LARGE', 'TARGET_FAILED'])

export function isOfOneTable(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && OF_ONE_TABLE.has(error.code)
}

/** One table of a message can't be written to: the message is applied again without it. */
export class TableFailed extends Error {
  readonly table: string
  readonly error: TidemarkError

  constructor(table: string, error: TidemarkError) {
    super('A table could not be written to.')
    this.table = table
    this.error = error
  }
}
