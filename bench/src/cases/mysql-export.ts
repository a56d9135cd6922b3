import { mysqlSource } from '@tidemark/mysql'
import { mysqlEnv } from '../process/client-env.ts'
import { mysqlAddress } from '../process/mysql-address.ts'
import { requireTool } from '../process/require-tool.ts'
import type { BenchCase } from './case.ts'
import { measureExport } from './measure-export.ts'
import { withMixedMysql } from './with-mixed-mysql.ts'

/** The rows of a MariaDB or MySQL database as INSERT statements. */
export const mysqlExport: BenchCase = {
  name: 'mysql-export',
  run: async (context) => await withMixedMysql(context.rows, async (url) => await measureExport({
    name: 'mysql-export', source: mysqlSource({ url }), peerName: 'mariadb-dump --single-transaction --quick --no-create-info > file',
    peer: [requireTool('mariadb-dump', 'mysqldump'), ...mysqlAddress(url), '--single-transaction', '--quick', '--no-create-info', new URL(url).pathname.slice(1)], env: mysqlEnv(url),
  }, context)),
}
