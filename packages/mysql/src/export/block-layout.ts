import { quoteIdentifier } from '../quote.ts'
import { literalExpression, type LiteralExpression } from './literal-expression.ts'
import type { ExportColumn } from './export-columns.ts'
import type { TablePlan } from './table-plan.ts'

/** What a row is made of, between commas. */
export type BlockCell =
  /** Literals, as the server has printed them. */
  | { readonly kind: 'literals' }
  /** Characters to be quoted; of a value that is too long, how it is had from a variable. */
  | { readonly kind: 'text'; readonly long: number | undefined; longLiteral(bytes: number): string }

/** What is selected so that rows come as literals, and how statements are made of them. */
export interface BlockLayout {
  readonly selects: readonly string[]
  readonly keyCells: number
  /** Cells with the bytes of values that are too long for a statement; NULL where they are not. */
  readonly longCells: number
  readonly cells: readonly BlockCell[]
  readonly prefix: Buffer
  readonly maxBytes: number
}

/** Room for a number, a date or a short text, with its quotes. */
const SHORT_LITERAL_BYTES = 144

export function blockLayout(plan: TablePlan, maxBytes: number): BlockLayout {
  const columns = plan.columns.map((column) => ({ column, expression: literalExpression(column) }))
  const names = columns.map(({ column }) => quoteIdentifier(column.schema.name)).join(',')
  const prefix = Buffer.from(`INSERT INTO ${quoteIdentifier(plan.relation.name)} (${names}) VALUES\n`)
  const longCount = columns.filter(({ expression }) => expression.raw !== undefined).length
  const room = maxBytes - prefix.length - SHORT_LITERAL_BYTES * (columns.length + 1)
  // In a quoted or a hexadecimal literal a byte takes two at most.
  const longFrom = Math.max(64, Math.floor(room / 2 / Math.max(1, longCount)) - 32)
  const long: string[] = []
  const cells: BlockCell[] = []
  const selects: string[][] = []
  for (const { column, expression } of columns) {
    const name = quoteIdentifier(column.schema.name)
    const index = expression.raw === undefined ? undefined : long.push(`IF(LENGTH(${name}) > ${longFrom}, ${expression.raw}, NULL)`) - 1
    if (expression.text !== undefined) {
      cells.push({ kind: 'text', long: index, longLiteral: (bytes) => longLiteral(index ?? 0, String(bytes), expression) })
      selects.push([index === undefined ? expression.text : `IF(LENGTH(${name}) > ${longFrom}, NULL, ${expression.text})`])
      continue
    }
    if (cells.at(-1)?.kind !== 'literals') {
      cells.push({ kind: 'literals' })
      selects.push([])
    }
    const literal = index === undefined ? expression.literal
      : `IF(LENGTH(${name}) > ${longFrom}, CONCAT('${longLiteral(index, `', LENGTH(${name}), '`, expression)}'), ${expression.literal})`
    selects.at(-1)?.push(orNull(column, literal))
  }
  // Where every column is generated a row has no values and is one all the same: `()`.
  if (cells.length === 0) {
    cells.push({ kind: 'literals' })
    selects.push([])
  }
  const printed = selects.map((parts, at) => (cells[at]?.kind === 'literals' ? literalsExpression(parts) : parts.join('')))
  return { selects: [...long, ...printed], keyCells: plan.key?.ordering.parts.length ?? 0, longCells: long.length, cells, prefix, maxBytes }
}

export function variableName(index: number): string {
  return `@tidemark_${index}`
}

/** The first argument makes the result bytes, which no character set of the connection touches. */
function literalsExpression(literals: readonly string[]): string {
  return `CONCAT(X''${literals.map((literal, index) => `${index === 0 ? '' : ', \',\''}, ${literal}`).join('')})`
}

/** Not IFNULL: a literal that the server can't make, for it is longer than a packet, is NULL too and must not pass for the value. */
function orNull({ schema }: ExportColumn, literal: string): string {
  return schema.nullable ? `IF(${quoteIdentifier(schema.name)} IS NULL, 'NULL', ${literal})` : literal
}

/** Fails where the variable is not all there: in another session than the one that was told its value. */
function longLiteral(index: number, bytes: string, { ofVariable }: LiteralExpression): string {
  const variable = variableName(index)
  return `IF(LENGTH(${variable})=${bytes},${ofVariable(variable)},(SELECT 1 UNION SELECT 2))`
}
