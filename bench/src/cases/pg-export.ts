import { postgresSource } from '@tidemark/postgres'
import { psqlEnv } from '../process/client-env.ts'
import { requireTool } from '../process/require-tool.ts'
import { createMixedPostgres } from '../tables/mixed-postgres.ts'
import type { BenchCase } from './case.ts'
import { measureExport } from './measure-export.ts'
import { withPostgres } from './with-postgres.ts'

/** The rows of a database as COPY blocks. */
export const pgExport: BenchCase = {
  name: 'pg-export',
  run: (context) => withPostgres(async ({ url, sql }) => {
    await createMixedPostgres(sql, context.rows)
    return await measureExport({
      name: 'pg-export', source: postgresSource({ url }), peerName: 'pg_dump --data-only > file', peer: [requireTool('pg_dump'), '--data-only'], env: psqlEnv(url),
    }, context)
  }),
}
