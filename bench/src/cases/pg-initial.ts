import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { createMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase } from './case.ts'
import { measureInitialLoad } from './initial-load.ts'
import { withPostgres } from './with-postgres.ts'

export const PSQL_PEER = 'psql COPY TO STDOUT csv | sqlite3 .import --csv'

/** PostgreSQL into a SQLite file through node:sqlite. */
export const pgInitial: BenchCase = {
  name: 'pg-initial',
  run: (context) => withPostgres(async ({ url, sql }) => {
    const dump = psqlDump()
    context.log(`pg-initial: making ${context.rows} rows`)
    await createMixedPostgres(sql, context.rows)
    return await measureInitialLoad({
      name: 'pg-initial',
      peerName: PSQL_PEER,
      ours: { source: 'postgres', target: 'node', url, table: MIXED_TABLE },
      peer: { dump, mode: 'csv', env: { PEER_URL: url } },
    }, context)
  }),
}

/** The URL goes by environment: a command line is open to every user of the machine. */
export function psqlDump(): string {
  return `${quoteShell([requireTool('psql'), '-X', '-q', '-c', `COPY ${MIXED_TABLE} TO STDOUT csv`])} "$PEER_URL"`
}
