import { MIXED_SQLITE, MIXED_TABLE } from '../tables/mixed-table.ts'
import { quoteShell } from './quote-shell.ts'
import { requireTool } from './require-tool.ts'
import { runProcess } from './run-process.ts'

export interface PipeRequest {
  /** A shell command that writes the rows. */
  readonly dump: string
  /** How the rows are written. */
  readonly mode: 'csv' | 'tabs'
  /** The SQLite file to make. */
  readonly path: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * The fastest settings of those tried for the peer (WAL, in memory, none; with and without a large cache): no journal
 * and no sync. It can lose everything in a crash, which we can't: the comparison gives it that advantage.
 */
const PRAGMAS = 'pragma journal_mode = off; pragma synchronous = off;'

/** Pipes a client's output into the sqlite3 shell, from no file to a full table, and resolves to the seconds it took. */
export async function pipeIntoSqlite(request: PipeRequest): Promise<number> {
  const shell = requireTool('bash')
  const sqlite = quoteShell([requireTool('sqlite3'), '-batch', request.path, PRAGMAS, MIXED_SQLITE, `.mode ${request.mode}`, `.import /dev/stdin ${MIXED_TABLE}`])
  const outcome = await runProcess({ command: shell, args: ['-c', `set -o pipefail; ${request.dump} | ${sqlite}`], env: request.env })
  return outcome.seconds
}
