import type { AbortOptions } from '@tidemark/core/adapter'
import type { TextRow } from './check-result.ts'

export interface Statement extends AbortOptions {
  readonly text: string
  /** Bound as text. */
  readonly parameters?: readonly string[] | undefined
}

/** What statements are run on: a connection of our own, or an application's way to run SQL. */
export interface SqlSession {
  /** One statement; rows as the server's own text. */
  query(statement: Statement): Promise<readonly TextRow[]>
  /** Statements that change the source, in one transaction. */
  execute(text: string, options: AbortOptions): Promise<void>
}
