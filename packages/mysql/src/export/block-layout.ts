import { quoteIdentifier } from '../quote.ts'
import { literalExpression, type LiteralExpression } from './literal-expression.ts'
import type { ExportColumn } from './export-columns.ts'
import type { TablePlan } from './table-plan.ts'

/** What is selected so that rows come as literals, and how statements are made of them. */
export interface BlockLayout {
  readonly selects: readonly string[]
  readonly keyCells: number
  /** Cells with the bytes of values that are too long for a statement; NULL where they are not. */
  readonly longCells: number
  readonly prefix: Buffer
  readonly maxBytes: number
}

/** Room for a number, a date or a short text, with its quotes. */
const SHORT_LITERAL_BYTES = 144

export function blockLayout(plan: TablePlan, maxBytes: number): BlockLayout {
  const columns = plan.columns.map((column) => ({ column, expression: literalExpression(column) }))
  const names = columns.map(({ column }) => quoteIdentifier(column.schema.name)).join(',')
  const prefix = Buffer.from(`INSERT INTO ${quoteIdentifier(plan.relation.name)} (${names}) VALUES\n`)
  const long = columns.filter(({ expression }) => expression.raw !== undefined)
  const room = maxBytes - prefix.length - SHORT_LITERAL_BYTES * (columns.length + 1)
  // In a quoted or a hexadecimal literal a byte takes two at most.
  const longFrom = Math.max(64, Math.floor(room / 2 / Math.max(1, long.length)) - 32)
  const cells: string[] = []
  const literals = columns.map(({ column, expression }) => {
    if (expression.raw === undefined) return orNull(column, expression.literal)
    const name = quoteIdentifier(column.schema.name)
    cells.push(`IF(LENGTH(${name}) > ${longFrom}, ${expression.raw}, NULL)`)
    return orNull(column, `IF(LENGTH(${name}) > ${longFrom}, ${variableLiteral(name, cells.length - 1, expression)}, ${expression.literal})`)
  })
  return {
    selects: [...cells, rowExpression(literals)], keyCells: plan.key?.ordering.parts.length ?? 0, longCells: cells.length, prefix, maxBytes,
  }
}

export function variableName(index: number): string {
  return `@tidemark_${index}`
}

/** The first argument makes the result bytes, which no character set of the connection touches. */
function rowExpression(literals: readonly string[]): string {
  return `CONCAT(X'28'${literals.map((literal, index) => `${index === 0 ? '' : ', \',\''}, ${literal}`).join('')}, ')')`
}

/** Not IFNULL: a literal that the server can't make, for it is longer than a packet, is NULL too and must not pass for the value. */
function orNull({ schema }: ExportColumn, literal: string): string {
  return schema.nullable ? `IF(${quoteIdentifier(schema.name)} IS NULL, 'NULL', ${literal})` : literal
}

/** Fails where the variable is not all there: in another session than the one that was told its value. */
function variableLiteral(name: string, index: number, { ofVariable }: LiteralExpression): string {
  const variable = variableName(index)
  return `CONCAT('IF(LENGTH(${variable})=', LENGTH(${name}), ',${ofVariable(variable)},(SELECT 1 UNION SELECT 2))')`
}
