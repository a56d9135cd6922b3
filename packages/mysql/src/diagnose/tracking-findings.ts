import type { ColumnSchema, Finding, TableSchema } from '@tidemark/core/adapter'
import { cursorPart } from '../cursor-part.ts'
import { findColumn } from '../ordering.ts'
import { quoteIdentifier, quoteTable } from '../quote.ts'
import { parseSourceType } from '../source-type.ts'
import type { CatalogueFacts } from './catalogue-facts.ts'

const MICROSECOND_DIGITS = 6
const TEMPORAL = ['datetime', 'timestamp']

export function trackingFindings(table: TableSchema, tracking: string | undefined, facts: CatalogueFacts): readonly Finding[] {
  if (tracking === undefined) return []
  const column = findColumn(table, tracking)
  return [
    ...typeFindings(column),
    ...indexFindings(table, column, facts),
    ...nullFindings(table, column),
    ...(TEMPORAL.includes(parseSourceType(column.sourceType).base) ? timeFindings(table, column, facts) : counterFindings(column, facts)),
  ]
}

function typeFindings(column: ColumnSchema): readonly Finding[] {
  const { base } = parseSourceType(column.sourceType)
  if (base === 'float') {
    return [{ id: 'tracking-float', severity: 'error', message: `Column ${column.name} is FLOAT: distinct values written to it become equal.` }]
  }
  try {
    cursorPart(column)
    return []
  } catch {
    return [{ id: 'tracking-unordered', severity: 'error', message: `Rows can't be read in order of column ${column.name} of type ${base}.` }]
  }
}

function indexFindings(table: TableSchema, column: ColumnSchema, facts: CatalogueFacts): readonly Finding[] {
  const isIndexed = [...facts.indexes.values()].some((index) => index.isPlain && index.columns[0] === column.name)
  if (isIndexed || table.kind === 'view') return []
  // InnoDB appends the primary key to every secondary index, which makes (tracking, key) of it.
  return [{
    id: 'tracking-index-missing', severity: 'warning', message: `No index begins with ${column.name}: every poll scans the table.`,
    sql: `ALTER TABLE ${quoteTable(table.ref)} ADD INDEX (${quoteIdentifier(column.name)});`,
  }]
}

function nullFindings(table: TableSchema, column: ColumnSchema): readonly Finding[] {
  if (!column.nullable) return []
  const name = quoteIdentifier(column.name)
  return [{
    id: 'tracking-nullable', severity: 'warning', message: `Column ${column.name} can be NULL, and no poll ever sees such a row.`,
    sql: `ALTER TABLE ${quoteTable(table.ref)} MODIFY ${name} ${column.sourceType} NOT NULL;`,
  }]
}

function timeFindings(table: TableSchema, column: ColumnSchema, facts: CatalogueFacts): readonly Finding[] {
  const { base, sizes } = parseSourceType(column.sourceType)
  const hasUpdate = facts.extra.get(column.name)?.includes('on update') === true
  const digits = sizes[0] ?? 0
  const now = `CURRENT_TIMESTAMP(${MICROSECOND_DIGITS})`
  const sql = `ALTER TABLE ${quoteTable(table.ref)} MODIFY ${quoteIdentifier(column.name)} ${base.toUpperCase()}(${MICROSECOND_DIGITS})`
    + ` NOT NULL DEFAULT ${now} ON UPDATE ${now};`
  const findings: Finding[] = []
  if (digits < MICROSECOND_DIGITS) {
    findings.push({
      id: 'tracking-coarse', severity: digits === 0 ? 'warning' : 'info',
      message: `Column ${column.name} keeps ${digits} digits of a second: a row changed twice within one step may be read between the two and not again.`, sql,
    })
  }
  if (!hasUpdate) {
    findings.push({
      id: 'tracking-not-updated', severity: 'warning',
      message: `Column ${column.name} is not ON UPDATE CURRENT_TIMESTAMP: an update that does not set it is never seen.`, sql,
    })
  }
  return findings
}

function counterFindings(column: ColumnSchema, facts: CatalogueFacts): readonly Finding[] {
  if (facts.extra.get(column.name)?.includes('auto_increment') !== true) return []
  const insertOnly: Finding = {
    id: 'tracking-insert-only', severity: 'info',
    message: `Column ${column.name} is AUTO_INCREMENT: new rows are seen, changes of old ones only by a reconcile.`,
  }
  if (facts.autoincLockMode !== '2') return [insertOnly]
  return [insertOnly, {
    id: 'auto-increment-interleaved', severity: 'info',
    message: 'innodb_autoinc_lock_mode is 2: a long INSERT … SELECT draws numbers ahead of writing them; the settle grace covers the moment between.',
  }]
}
