import type { BenchTarget } from '../ours/copy-request.ts'
import { psqlEnv } from '../process/client-env.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { createMixedPostgres } from '../tables/mixed-postgres.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase } from './case.ts'
import { measureInitialLoad } from './initial-load.ts'
import { withPostgres } from './with-postgres.ts'

/** An initial load out of PostgreSQL into one of our targets; the peer is the same for each. */
export function postgresLoad(name: string, target: BenchTarget): BenchCase {
  return {
    name,
    run: (context) => withPostgres(async ({ url, sql }) => {
      const dump = quoteShell([requireTool('psql'), '-X', '-q', '-c', `COPY ${MIXED_TABLE} TO STDOUT csv`])
      context.log(`${name}: making ${context.rows} rows`)
      await createMixedPostgres(sql, context.rows)
      return await measureInitialLoad({
        name,
        peerName: 'psql COPY TO STDOUT csv | sqlite3 .import --csv',
        ours: { source: 'postgres', target, url, table: MIXED_TABLE },
        peer: { dump, mode: 'csv', env: psqlEnv(url) },
      }, context)
    }),
  }
}
