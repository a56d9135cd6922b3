import { mysqlEnv } from '../process/client-env.ts'
import { mysqlAddress } from '../process/mysql-address.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase } from './case.ts'
import { measureInitialLoad } from './initial-load.ts'
import { withMixedMysql } from './with-mixed-mysql.ts'

/** MariaDB or MySQL into a SQLite file through node:sqlite. */
export const mysqlInitial: BenchCase = {
  name: 'mysql-initial',
  run: async (context) => {
    context.log(`mysql-initial: making ${context.rows} rows`)
    return await withMixedMysql(context.rows, async (url) => await measureInitialLoad({
      name: 'mysql-initial',
      peerName: 'mysql --quick --batch | sqlite3 .import (tabs)',
      ours: { source: 'mysql', target: 'node', url, table: MIXED_TABLE },
      peer: { dump: mysqlDump(url), mode: 'tabs', env: mysqlEnv(url) },
    }, context))
  },
}

function mysqlDump(url: string): string {
  const format = ['--quick', '--batch', '--skip-column-names', '--default-character-set=utf8mb4', `--execute=select * from ${MIXED_TABLE}`]
  return quoteShell([requireTool('mariadb', 'mysql'), ...mysqlAddress(url), ...format, new URL(url).pathname.slice(1)])
}
