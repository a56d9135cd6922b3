import { TidemarkError } from '../errors/tidemark-error.ts'
import { lineAt } from './line-at.ts'

export interface FailedStatement {
  /** Path of the object in the dump, or the file's key. */
  readonly path: string
  readonly offset: number
  /** From the object's beginning. */
  readonly open: () => AsyncIterable<Uint8Array>
  readonly cause: TidemarkError
}

/** Names the place. The statement itself is full of values; what kind it is stands at that line. */
export async function statementFailed({ path, offset, open, cause }: FailedStatement): Promise<TidemarkError> {
  const line = await lineAt(open(), offset)
  return new TidemarkError('STATEMENT_FAILED', `The statement at line ${line} of ${path} failed: ${cause.message} (${cause.code})`, { detail: `${path}:${line}`, cause })
}
