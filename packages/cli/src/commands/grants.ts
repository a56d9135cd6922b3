import type { ArgsDef } from 'citty'
import type { TidemarkCommand } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { postgresDatabase } from '../postgres-database.ts'
import { outputArgs } from './args.ts'

const args = {
  database: { type: 'positional', description: 'postgres://, or env:NAME for one in the environment; only its database name is read', required: false },
  table: { type: 'string', valueHint: 'name', description: 'Table to read; repeatable. Without: all tables of the schema public' },
  role: { type: 'string', valueHint: 'name', description: 'The user to grant to (default tidemark)' },
  publication: { type: 'string', valueHint: 'name', description: 'Of the stream (default: the role)' },
  ...outputArgs,
} as const satisfies ArgsDef

export const grantsCommand: TidemarkCommand = {
  name: 'grants',
  description: 'Prints the SQL that lets a user of PostgreSQL read, export and stream tables, and no more; opens nothing',
  args,
  run: async ({ flags, faults, host, output }) => {
    const url = postgresDatabase(flags, { environment: host.environment, faults })
    faults.throwIfAny()
    if (url === undefined) return EXIT.usage
    const { databaseOf, grantsSql } = await import('@tidemark/postgres')
    const sql = grantsSql({ database: await databaseOf({ url }), role: flags.get('role'), tables: flags.all('table'), publication: flags.get('publication') })
    if (flags.has('json')) output.json({ type: 'grants', sql })
    else output.data(sql)
    return EXIT.ok
  },
}
