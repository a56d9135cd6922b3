import { TidemarkError } from '@tidemark/core/adapter'
import type { DiagnoseRequest } from '@tidemark/core/adapter'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteTable } from './quote.ts'

/** What the catalogue says about a table and the column it is to be tracked by. */
export interface TableFacts {
  /** `pg_class.relkind`. */
  readonly kind: string
  /** Who reads. */
  readonly user: string
  readonly standby: boolean
  readonly encoding: string
  readonly selectAll: boolean
  /** Whether row security would filter what this user reads. */
  readonly rowSecurity: boolean
  /** Prepared transactions (two-phase commit) that are open now. */
  readonly preparedTransactions: number
  readonly tracking: TrackingFacts | null
}

export interface TrackingFacts {
  readonly type: string
  /** Digits of a second that a timestamp keeps, 0 for a date; `null`: as many as there are. */
  readonly precision: number | null
  readonly indexed: boolean
  readonly default: string | null
  /** Whether any row trigger runs before updates: one of them may keep the column current. */
  readonly updateTrigger: boolean
  /** The sequence behind a serial or identity column. */
  readonly sequence: string | null
  readonly sequenceCache: number | null
}

/**
 * A type modifier of a timestamp is its precision, -1 when none was given. An index counts when it leads on the column,
 * is usable and covers all rows.
 */
const FACTS = `
SELECT pg_catalog.json_build_object(
  'kind', c.relkind,
  'user', current_user,
  'standby', pg_catalog.pg_is_in_recovery(),
  'encoding', pg_catalog.current_setting('server_encoding'),
  'selectAll', pg_catalog.has_table_privilege(c.oid, 'SELECT'),
  'rowSecurity', c.relrowsecurity AND pg_catalog.row_security_active(c.oid),
  'preparedTransactions', (SELECT pg_catalog.count(*) FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()),
  'tracking', (SELECT pg_catalog.json_build_object(
    'type', pg_catalog.format_type(a.atttypid, NULL),
    'precision', CASE WHEN a.atttypid = 'pg_catalog.date'::pg_catalog.regtype THEN 0
      WHEN a.atttypid IN ('pg_catalog.timestamp'::pg_catalog.regtype, 'pg_catalog.timestamptz'::pg_catalog.regtype) AND a.atttypmod >= 0 THEN a.atttypmod END,
    'indexed', EXISTS (SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
      JOIN pg_catalog.pg_am m ON m.oid = ic.relam
      WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indisvalid AND i.indpred IS NULL AND m.amname = 'btree'),
    'default', (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum),
    'updateTrigger', EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 19 = 19),
    'sequence', s.sequence, 'sequenceCache', s.cache)
  FROM pg_catalog.pg_attribute a LEFT JOIN LATERAL (
    SELECT q.seqcache AS cache, pg_catalog.format('%I.%I', n.nspname, r.relname) AS sequence FROM pg_catalog.pg_depend p
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = p.objid JOIN pg_catalog.pg_class r ON r.oid = q.seqrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
    WHERE p.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.refobjid = c.oid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')
    LIMIT 1) s ON true
  WHERE a.attrelid = c.oid AND a.attname = $3::pg_catalog.text AND a.attnum > 0 AND NOT a.attisdropped)
) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1::pg_catalog.text AND c.relname = $2::pg_catalog.text`

/** Errors: `TABLE_UNKNOWN`. */
export async function readFacts(session: PostgresSession, request: DiagnoseRequest): Promise<TableFacts> {
  const { ref } = request.table
  const parameters = [ref.schema ?? 'public', ref.name, request.tracking ?? '']
  const rows = await session.query({ text: FACTS, parameters, signal: request.signal })
  const text = rows[0]?.[0]
  if (typeof text !== 'string') throw new TidemarkError('TABLE_UNKNOWN', `The source has no table or view '${ref.name}'.`)
  // The statement above builds exactly this shape.
  return JSON.parse(text) as TableFacts
}

/** Reads the table itself, so only where the column may hold NULLs and the user may read it. */
export async function hasNulls(session: PostgresSession, request: DiagnoseRequest, column: string): Promise<boolean> {
  const text = `SELECT EXISTS (SELECT 1 FROM ${quoteTable(request.table.ref)} WHERE ${quoteIdentifier(column)} IS NULL)`
  const rows = await session.query({ text, signal: request.signal })
  return rows[0]?.[0] === 't'
}
