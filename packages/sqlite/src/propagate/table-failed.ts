import type { TidemarkError } from '@tidemark/core/adapter'

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
