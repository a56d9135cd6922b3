import type { DiagnoseRequest, Finding, TableSchema } from '@tidemark/core/adapter'
import { hasNulls, readFacts, type TableFacts, type TrackingFacts } from './diagnose-facts.ts'
import type { PostgresSession } from './postgres-session.ts'
import { quoteIdentifier, quoteLiteral, quoteTable } from './quote.ts'

/** A tracking column whose facts are known, with what its findings need for their SQL. */
interface Tracked {
  readonly name: string
  readonly facts: TrackingFacts
  readonly table: TableSchema
  readonly kind: string
}

/** What stands in the way of a fast and complete copy, each with the SQL that mends it where SQL can. */
export async function diagnose(session: PostgresSession, request: DiagnoseRequest): Promise<readonly Finding[]> {
  const facts = await readFacts(session, request)
  const findings = tableFindings(request.table, facts)
  const name = request.tracking
  if (name === undefined) return findings
  if (facts.tracking === null) {
    return [...findings, { id: 'tracking-column-missing', severity: 'error', message: `The table has no column '${name}'.` }]
  }
  const tracked = { name, facts: facts.tracking, table: request.table, kind: facts.kind }
  return [...findings, ...trackingFindings(tracked), ...await nullFindings(session, request, tracked)]
}

function tableFindings(table: TableSchema, facts: TableFacts): Finding[] {
  const name = quoteTable(table.ref)
  const user = quoteIdentifier(facts.user)
  const findings: (Finding | false)[] = [
    table.key.length === 0 && {
      id: 'key-missing', severity: table.kind === 'view' ? 'info' : 'warning',
      message: 'There is no primary key: name a unique key in `key`, or every sync copies the whole table.',
      sql: table.kind === 'view' ? undefined : `ALTER TABLE ${name} ADD PRIMARY KEY (...)`,
    },
    !facts.selectAll && {
      id: 'select-missing', severity: 'error', message: 'The source user may not read every column.', sql: `GRANT SELECT ON ${name} TO ${user}`,
    },
    facts.rowSecurity && {
      id: 'row-security', severity: 'error', message: 'Row security applies to the source user: reads stop rather than leave rows out.',
      sql: `ALTER ROLE ${user} BYPASSRLS`,
    },
    facts.standby && {
      id: 'hot-standby', severity: 'info', message: 'The source is a standby: rows come as late as its replay, and long reads may be cancelled by it.',
    },
    facts.encoding === 'SQL_ASCII' && {
      id: 'encoding-unknown', severity: 'warning', message: 'The database has no encoding (SQL_ASCII): bytes that are not UTF-8 can\'t be copied exactly.',
    },
    facts.preparedTransactions > 0 && {
      id: 'prepared-transactions', severity: 'warning',
      message: 'Prepared transactions are open: rows newer than the oldest are read again by every sync until it ends.',
      sql: 'SELECT gid, prepared FROM pg_prepared_xacts ORDER BY prepared',
    },
  ]
  return findings.filter((finding) => finding !== false)
}

function trackingFindings(tracked: Tracked): Finding[] {
  const findings = [indexFinding(tracked), precisionFinding(tracked), updateFinding(tracked), sequenceFinding(tracked)]
  return findings.filter((finding) => finding !== undefined)
}

function indexFinding({ name, facts, table, kind }: Tracked): Finding | undefined {
  if (facts.indexed || table.kind === 'view') return undefined
  const columns = [name, ...table.key.filter((column) => column !== name)].map(quoteIdentifier).join(', ')
  // On a partitioned table CONCURRENTLY is refused.
  const create = kind === 'p' ? 'CREATE INDEX' : 'CREATE INDEX CONCURRENTLY'
  return {
    id: 'tracking-index-missing', severity: 'warning', message: `No index leads on '${name}': every page sorts the whole table.`,
    sql: `${create} ON ${quoteTable(table.ref)} (${columns})`,
  }
}

function precisionFinding({ name, facts, table }: Tracked): Finding | undefined {
  if (facts.precision === null || facts.precision >= 6) return undefined
  return {
    id: 'tracking-precision-low', severity: 'info',
    message: `'${name}' keeps fewer than 6 digits of a second: many rows share a value and are read again at its edge.`,
    sql: table.kind === 'view' ? undefined : `ALTER TABLE ${quoteTable(table.ref)} ALTER COLUMN ${quoteIdentifier(name)} TYPE timestamptz(6)`,
  }
}

/** Changes show only if something writes the column on update. A sequence never does. */
function updateFinding({ name, facts, table }: Tracked): Finding | undefined {
  if (table.kind === 'view') return undefined
  if (!/^(?:timestamp|date)/.test(facts.type)) {
    return { id: 'tracking-inserts-only', severity: 'info', message: `'${name}' does not grow when a row changes unless the application sees to it: otherwise only new rows are seen.` }
  }
  if (facts.updateTrigger) return undefined
  return {
    id: 'tracking-trigger-missing', severity: 'warning',
    message: `No trigger keeps '${name}' current on update: changes are only seen if every writer sets it.`,
    sql: triggerSql(name, table),
  }
}

function triggerSql(name: string, table: TableSchema): string {
  const routine = quoteTable({ schema: table.ref.schema, name: `touch_${table.ref.name}`.slice(0, 40) })
  const body = `BEGIN NEW.${quoteIdentifier(name)} := pg_catalog.clock_timestamp(); RETURN NEW; END`
  return `CREATE FUNCTION ${routine}() RETURNS trigger LANGUAGE plpgsql AS ${quoteLiteral(body)}; `
    + `CREATE TRIGGER touch BEFORE INSERT OR UPDATE ON ${quoteTable(table.ref)} FOR EACH ROW EXECUTE FUNCTION ${routine}()`
}

/** Each session takes its own block of numbers and may use it up hours later, below every mark that has settled. */
function sequenceFinding({ name, facts }: Tracked): Finding | undefined {
  if (facts.sequence === null || facts.sequenceCache === null || facts.sequenceCache <= 1) return undefined
  return {
    id: 'tracking-sequence-cached', severity: 'error',
    message: `The sequence of '${name}' hands out blocks of ${facts.sequenceCache}: rows can appear below a cursor at any later time.`,
    sql: `ALTER SEQUENCE ${facts.sequence} CACHE 1`,
  }
}

async function nullFindings(session: PostgresSession, request: DiagnoseRequest, tracked: Tracked): Promise<Finding[]> {
  const column = request.table.columns.find((candidate) => candidate.name === tracked.name)
  if (column?.nullable !== true) return []
  if (await hasNulls(session, request, tracked.name)) {
    return [{ id: 'tracking-nulls', severity: 'error', message: `'${tracked.name}' holds NULLs: such rows are never newer than a cursor.` }]
  }
  if (request.table.kind === 'view') return []
  const sql = `ALTER TABLE ${quoteTable(request.table.ref)} ALTER COLUMN ${quoteIdentifier(tracked.name)} SET NOT NULL`
  return [{ id: 'tracking-nullable', severity: 'warning', message: `'${tracked.name}' may become NULL, and each page asks whether it has.`, sql }]
}
