import { startMysql } from '@tidemark/test-servers'
import { createConnection } from 'mysql2/promise'
import { mysqlEnv } from '../process/client-env.ts'
import { quoteShell } from '../process/quote-shell.ts'
import { requireTool } from '../process/require-tool.ts'
import { createMixedMysql } from '../tables/mixed-mysql.ts'
import { MIXED_TABLE } from '../tables/mixed-table.ts'
import type { BenchCase, CaseContext } from './case.ts'
import { measureInitialLoad } from './initial-load.ts'

/** MariaDB or MySQL into a SQLite file through node:sqlite. */
export const mysqlInitial: BenchCase = {
  name: 'mysql-initial',
  run: async (context) => {
    const server = await startMysql()
    try {
      const database = await server.createDatabase()
      try {
        return await measure(database.url, context)
      } finally {
        await database[Symbol.asyncDispose]()
      }
    } finally {
      await server[Symbol.asyncDispose]()
    }
  },
}

async function measure(url: string, context: CaseContext): ReturnType<BenchCase['run']> {
  const dump = mysqlDump(url)
  context.log(`mysql-initial: making ${context.rows} rows`)
  const connection = await createConnection({ uri: url, multipleStatements: true })
  await createMixedMysql(connection, context.rows)
  await connection.end()
  return await measureInitialLoad({
    name: 'mysql-initial',
    peerName: 'mysql --quick --batch | sqlite3 .import (tabs)',
    ours: { source: 'mysql', target: 'node', url, table: MIXED_TABLE },
    peer: { dump, mode: 'tabs', env: mysqlEnv(url) },
  }, context)
}

function mysqlDump(url: string): string {
  const { hostname, port, username, pathname } = new URL(url)
  const address = [`--host=${hostname}`, `--port=${port === '' ? '3306' : port}`, `--user=${decodeURIComponent(username)}`, '--protocol=tcp']
  const format = ['--quick', '--batch', '--skip-column-names', '--default-character-set=utf8mb4', `--execute=select * from ${MIXED_TABLE}`]
  return quoteShell([requireTool('mariadb', 'mysql'), '--no-defaults', ...address, ...format, pathname.slice(1)])
}
