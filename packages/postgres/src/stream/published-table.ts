import { TidemarkError, type AbortOptions, type ColumnOverride, type TableRef, type TableSchema } from '@tidemark/core/adapter'
import { describeTable } from '../describe-table.ts'
import type { SqlSession } from '../sql-session.ts'
import { quoteTable } from '../quote.ts'

/** A table of the stream as the catalogue has it. */
export interface PublishedTable {
  readonly schema: TableSchema
  /** By which its changes are told apart; empty where it has none. */
  readonly key: readonly string[]
  readonly isPartitioned: boolean
  /** Computed columns: the server does not publish them. */
  readonly generated: readonly string[]
}

interface TableFacts {
  readonly kind: string
  readonly persistence: string
  readonly identity: string
  readonly identityColumns: readonly string[]
  readonly generated: readonly string[]
}

const FACTS = `SELECT pg_catalog.json_build_object('kind', c.relkind, 'persistence', c.relpersistence, 'identity', c.relreplident,
  'identityColumns', coalesce((SELECT pg_catalog.json_agg(a.attname ORDER BY k.n) FROM pg_catalog.pg_index i,
    LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
    WHERE i.indrelid = c.oid AND i.indisreplident AND k.n <= i.indnkeyatts), '[]'),
  'generated', coalesce((SELECT pg_catalog.json_agg(a.attname) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> '' AND NOT a.attisdropped), '[]'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text`

/** Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE` with the statement that mends it, `SOURCE_PERMISSION_DENIED`. */
export async function describePublished(session: SqlSession, ref: TableRef, options: AbortOptions): Promise<PublishedTable> {
  const plain = await describeTable(session, ref, options)
  const [row] = await session.query({ text: FACTS, parameters: [ref.schema ?? 'public', ref.name], signal: options.signal })
  if (row === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source has no table '${display(ref)}'.`)
  // The statement above builds exactly this shape.
  const facts = JSON.parse(row[0] ?? '') as TableFacts
  requireCapturable(ref, facts, plain)
  // There is no target that has to hold a value: what has no other form is delivered as the server's own text.
  const overrides = Object.fromEntries(plain.columns.map(({ name }): [string, ColumnOverride] => [name, { onUnrepresentable: 'text' }]))
  const schema = await describeTable(session, ref, { ...options, overrides })
  return { schema, key: facts.identity === 'i' ? facts.identityColumns : plain.key, isPartitioned: facts.kind === 'p', generated: facts.generated }
}

function requireCapturable(ref: TableRef, facts: TableFacts, { key }: TableSchema): void {
  const name = display(ref)
  if (facts.kind !== 'r' && facts.kind !== 'p') throw notCapturable(`'${name}' is no table whose changes are in the log.`)
  if (facts.persistence !== 'p') throw notCapturable(`The changes of '${name}' are not in the log: it is ${facts.persistence === 'u' ? 'unlogged' : 'temporary'}.`, `ALTER TABLE ${quoteTable(ref)} SET LOGGED`)
  const hasIdentity = facts.identity === 'f' || facts.identityColumns.length > 0 || (facts.identity === 'd' && key.length > 0)
  // Once published, the server would refuse the application's UPDATE and DELETE.
  if (!hasIdentity) throw notCapturable(`The table '${name}' has no replica identity: its rows can't be told apart.`, `ALTER TABLE ${quoteTable(ref)} REPLICA IDENTITY FULL, or give it a primary key.`)
}

function display({ schema, name }: TableRef): string {
  return schema === undefined ? name : `${schema}.${name}`
}

function notCapturable(message: string, remedy?: string): TidemarkError {
  return new TidemarkError('TABLE_NOT_CAPTURABLE', message, { remedy })
}
