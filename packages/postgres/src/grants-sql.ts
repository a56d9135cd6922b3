import { TidemarkError, type ConfigIssue } from '@tidemark/core/adapter'
import { parseTableName } from './parse-table-name.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'

export interface GrantsOptions {
  readonly database: string
  /** Default `tidemark`. */
  readonly role?: string | undefined
  /** As `users` or `public.users`; none: all tables of the schema `public`. */
  readonly tables?: readonly string[] | undefined
  /** Of the stream. Default: the role's name. */
  readonly publication?: string | undefined
}

/**
 * The least that a user needs who reads, exports and streams tables, as SQL for who owns them and for a superuser. Opens nothing. Errors: `CONFIG_INVALID`.
 */
export function grantsSql({ database, role = 'tidemark', tables = [], publication = role }: GrantsOptions): string {
  const issues: ConfigIssue[] = [['role', role], ['publication', publication], ['database', database]].flatMap(([path = '', name = '']) => (name === '' || name.includes('\0') ? [{ path, message: 'Must be a name without NUL.' }] : []))
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', 'The grants have wrong options.', { issues })
  const refs = tables.map((table) => parseTableName(table, 'public'))
  const names = refs.map(quoteTable)
  const schemas = names.length === 0 ? ['public'] : [...new Set(refs.map(({ schema }) => schema ?? 'public'))]
  const user = quoteIdentifier(role)
  return [
    '-- To read and export.',
    `CREATE ROLE ${user} LOGIN;  -- with a password: \\password ${user}`,
    `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${user};`,
    ...schemas.map((schema) => `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${user};`),
    ...(names.length > 0
      ? [`GRANT SELECT ON ${names.join(', ')} TO ${user};`]
      : [`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${user};`, `GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${user};`, `-- And for tables that are made later, as their owner: ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO ${user};`]),
    '',
    '-- To stream changes besides: as a superuser, and as the owner of the tables.',
    `ALTER ROLE ${user} REPLICATION;`,
    `CREATE PUBLICATION ${quoteIdentifier(publication)} FOR ${names.length > 0 ? `TABLE ${names.join(', ')}` : 'ALL TABLES'} WITH (publish_via_partition_root = true);`,
    '',
    `-- Where tables have row security: ALTER ROLE ${user} BYPASSRLS;`,
  ].join('\n')
}
