import fc from 'fast-check'
import type { TableShape, TestTable } from './table-shapes.ts'

/** Few values, so that conflicts are many; the hard ones of each storage class among them. */
const LITERALS = [
  'NULL', '0', '1', '2', '3', '4', '5', '\'a\'', '\'A\'', '\'b\'', '\'b \'', '\'\'', '1.0', '2.5', '9007199254740993', '-1', '9e999', 'x\'0041\'', 'x\'\'', '\'x\' || char(0) || \'y\'',
]
const INTEGERS = ['0', '1', '2', '3', '4', '5', '6', 'NULL']

const conflict = fc.constantFrom('', '', '', ' OR REPLACE', ' OR REPLACE', ' OR IGNORE', ' OR ABORT', ' OR FAIL', ' OR ROLLBACK')

function literalOf(column: string): fc.Arbitrary<string> {
  return fc.constantFrom(...(column.endsWith('id') ? INTEGERS : LITERALS))
}

function writeOf(table: TestTable): fc.Arbitrary<string> {
  const { name } = table
  const columns = fc.subarray([...table.columns], { minLength: 1 })
  const rows = columns.chain((chosen) => fc.tuple(
    fc.constant(chosen), fc.array(fc.tuple(...chosen.map(literalOf)), { minLength: 1, maxLength: 3 }),
  ))
  const where = fc.constantFrom(...table.columns).chain((column) => literalOf(column).map((value) => `${column} IS ${value}`))
  const set = columns.chain((chosen) => fc.tuple(...chosen.map((column) => literalOf(column).map((value) => `${column} = ${value}`))))
  const filter = fc.oneof({ weight: 5, arbitrary: where.map((text) => ` WHERE ${text}`) }, { weight: 1, arbitrary: fc.constant('') })
  const values = rows.map(([chosen, list]) => `(${chosen.join(', ')}) VALUES ${list.map((row) => `(${row.join(', ')})`).join(', ')}`)
  const writable = table.columns.filter((column) => column !== 'rowid')
  return fc.oneof(
    { weight: 5, arbitrary: fc.tuple(conflict, values).map(([or, text]) => `INSERT${or} INTO ${name} ${text}`) },
    { weight: 1, arbitrary: conflict.map((or) => `INSERT${or} INTO ${name} (${writable.join(', ')}) SELECT ${writable.join(', ')} FROM ${name} ORDER BY 1 LIMIT 2`) },
    { weight: 2, arbitrary: fc.tuple(values, set).map(([text, list]) => `INSERT INTO ${name} ${text} ON CONFLICT DO UPDATE SET ${list.join(', ')}`) },
    { weight: 1, arbitrary: values.map((text) => `INSERT INTO ${name} ${text} ON CONFLICT DO NOTHING`) },
    { weight: 4, arbitrary: fc.tuple(conflict, set, filter).map(([or, list, text]) => `UPDATE${or} ${name} SET ${list.join(', ')}${text}`) },
    { weight: 2, arbitrary: filter.map((text) => `DELETE FROM ${name}${text}`) },
  )
}

const control = fc.constantFrom('BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT s', 'SAVEPOINT s', 'ROLLBACK TO s', 'RELEASE s', 'SAVEPOINT r', 'ROLLBACK TO r')

/** A history of statements; many of them fail, and what they leave behind is part of the question. */
export function statementsOf(shape: TableShape, length: number): fc.Arbitrary<readonly string[]> {
  const writes = fc.oneof(...shape.tables.map(writeOf))
  return fc.array(fc.oneof({ weight: 6, arbitrary: writes }, { weight: 1, arbitrary: control }), { minLength: 1, maxLength: length })
}
