import { withNewRow, type UniqueKey } from '../../capture/unique-keys.ts'
import { quote } from '../../quote.ts'
import { affinityOf } from '../../source/column-type.ts'
import type { ExportedTable } from '../exported-table.ts'
import type { UndoNames } from './undo-names.ts'

/** A table that is exported, and by what its rows can be in each other's way. */
export interface UndoTable {
  readonly table: ExportedTable
  readonly index: number
  readonly uniqueKeys: readonly UniqueKey[]
  /** Generated ones too: conditions of an index may name them. */
  readonly columnNames: readonly string[]
}

const TYPES = { integer: 'INTEGER', text: 'TEXT', real: 'REAL', numeric: 'NUMERIC', blob: '' } as const

/** Names of the key's terms, of the mark and of the columns within an undo table. */
export function undoColumns({ key, columns }: ExportedTable): { readonly key: readonly string[]; readonly values: readonly string[] } {
  return { key: key.map((_, index) => `k${index}`), values: columns.map((_, index) => `c${index}`) }
}

/**
 * A table for old images, and triggers that put the first one of each row there: what a row was at the instant is its old image, where there is one, and else what
 * it is now. A row that was not there has an image that says so.
 *
 * The triggers write before the user's statement does, and rather too much than too little: every row that a REPLACE could remove, since no trigger fires for those.
 * An image of a row that stays as it is does no harm. Nothing they write to has a constraint, whose conflict policy would be that of the user's statement, so that
 * no statement of the user's can fail by them.
 */
export function undoStatements(names: UndoNames, undo: UndoTable): readonly string[] {
  const { table, index } = undo
  const into = names.table(index)
  const { key, values } = undoColumns(table)
  const keyDefinitions = table.key.map(({ collation }, at) => `${key[at] ?? ''}${collation === undefined ? '' : ` COLLATE ${quote(collation)}`}`)
  // With the column's own affinity a value stays what it is, and a condition finds what it found.
  const definitions = table.columns.map(({ sourceType }, at) => `${values[at] ?? ''} ${TYPES[affinityOf(sourceType)]}`)
  return [
    `CREATE TABLE ${into} (e INTEGER, ${[...keyDefinitions, ...definitions].join(', ')})`,
    `CREATE INDEX ${quote(`${names.prefix}${index}_key`)} ON ${into} (${key.join(', ')})`,
    ...triggers(names, undo, into),
  ]
}

function triggers(names: UndoNames, undo: UndoTable, into: string): readonly string[] {
  const { table, index, uniqueKeys, columnNames } = undo
  const on = quote(table.name)
  const conflicts = [
    ...uniqueKeys.map(({ conditions }) => conditions.map((condition) => withNewRow(condition, columnNames)).join(' AND ')),
    table.key.map((term) => `${reference(term.expression, 's')} ${collate(term.collation)}IS ${reference(term.expression, 'NEW')}`).join(' AND '),
  ]
  const evicted = conflicts.map((condition) => noteRow(into, table, { row: 's', from: `FROM main.${on} AS s WHERE ${condition}` }))
  const old = noteRow(into, table, { row: 'OLD', from: 'WHERE true' })
  const absent = noteAbsent(into, table)
  return [
    `CREATE TRIGGER ${names.trigger(index, 'insert')} BEFORE INSERT ON ${on} BEGIN ${evicted.join(' ')} END`,
    `CREATE TRIGGER ${names.trigger(index, 'inserted')} AFTER INSERT ON ${on} BEGIN ${absent} END`,
    `CREATE TRIGGER ${names.trigger(index, 'update')} BEFORE UPDATE ON ${on} BEGIN ${old} ${evicted.join(' ')} END`,
    `CREATE TRIGGER ${names.trigger(index, 'updated')} AFTER UPDATE ON ${on} BEGIN ${absent} END`,
    `CREATE TRIGGER ${names.trigger(index, 'delete')} BEFORE DELETE ON ${on} BEGIN ${old} END`,
  ]
}

interface ImageSource {
  readonly row: 's' | 'OLD'
  readonly from: string
}

/** The old image of rows that have none yet. */
function noteRow(into: string, table: ExportedTable, { row, from }: ImageSource): string {
  const key = table.key.map(({ expression }) => reference(expression, row))
  const values = table.columns.map(({ name }) => `${row}.${quote(name)}`)
  return `INSERT INTO ${into} SELECT ${['1', ...key, ...values].join(', ')} ${from} AND ${isNew(into, key)};`
}

/** That a row was not there. One that has an image was, or was known not to be. */
function noteAbsent(into: string, table: ExportedTable): string {
  const key = table.key.map(({ expression }) => reference(expression, 'NEW'))
  return `INSERT INTO ${into} (e, ${undoColumns(table).key.join(', ')}) SELECT 0, ${key.join(', ')} WHERE ${isNew(into, key)};`
}

function isNew(into: string, key: readonly string[]): string {
  // By the undo table's collation, which is the key's.
  return `NOT EXISTS (SELECT 1 FROM ${into} AS u WHERE ${key.map((value, index) => `u.k${index} IS ${value}`).join(' AND ')})`
}

function reference(expression: string, row: string): string {
  return `${row}.${expression}`
}

function collate(collation: string | undefined): string {
  return collation === undefined ? '' : `COLLATE ${quote(collation)} `
}
