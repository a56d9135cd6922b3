import { copyFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import type { ChangeEvent } from '@tidemark/core'
import type { ChangeConnection, LogPosition } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { changesOfFile, type ChangesOfFileOptions } from './test/changes-of-file.ts'
import { keyText, ReplayedTables } from './test/replayed-tables.ts'
import { statementsOf } from './test/random-statements.ts'
import { TABLE_SHAPES, type TableShape, type TestTable } from './test/table-shapes.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

/** Over all shapes, settings of the pragma and policies more than 5,000 histories. */
const RUNS = 75
const LENGTH = 14

const MODES = [
  { name: 'replace auto', options: { replace: 'auto' } },
  { name: 'replace exact', options: { replace: 'exact' } },
  { name: 'replace exact and small rows', options: { replace: 'exact', maxRowBytes: 2_000_000, maxColumns: 100 } },
] as const satisfies readonly { readonly name: string; readonly options: Partial<ChangesOfFileOptions> }[]

const settings = [false, true].flatMap((recursive) => MODES.map(({ name, options }) => ({ recursive, name, options })))

describe.each(TABLE_SHAPES)('the changes of a table with $name', (shape) => {
  it.each(settings)('give the table, with recursive_triggers $recursive and $name', async ({ recursive, options }) => {
    const tables = shape.tables.map((table) => table.name)
    const template = await prepare(shape, { ...options, tables })
    let run = 0
    await fc.assert(fc.asyncProperty(statementsOf(shape, LENGTH), async (statements) => {
      const file = path(`run-${run += 1}.db`)
      copyFileSync(template, file)
      await using changes = await changesOfFile(file, { ...options, tables, integers: 'bigint' }).connect()
      const start = await changes.head()
      const rows = runStatements(file, statements, { shape, recursive })
      const replayed = new ReplayedTables({ mayReplace: options.replace === 'auto' })
      for (const event of await readAll(changes, start)) replayed.apply(event)
      for (const table of shape.tables) expect(sorted(replayed.rows(table.name))).toEqual(rows.get(table.name))
    }), { numRuns: RUNS })
  })
})

async function prepare(shape: TableShape, options: ChangesOfFileOptions): Promise<string> {
  const file = path('template.db')
  using database = new DatabaseSync(file)
  for (const sql of shape.setup) database.exec(sql)
  await changesOfFile(file, options).install()
  return file
}

function runStatements(file: string, statements: readonly string[], options: { readonly shape: TableShape; readonly recursive: boolean }): ReadonlyMap<string, readonly unknown[]> {
  using database = new DatabaseSync(file)
  database.exec(`PRAGMA synchronous = off; PRAGMA journal_mode = memory; PRAGMA recursive_triggers = ${options.recursive ? 1 : 0}`)
  for (const sql of statements) attempt(database, sql)
  if (database.isTransaction) attempt(database, 'COMMIT')
  if (database.isTransaction) database.exec('ROLLBACK')
  return new Map(options.shape.tables.map((table) => [table.name, readTable(database, table)]))
}

/** A statement may fail of its own; a fault of the triggers would show as tables that differ, or here. */
function attempt(database: DatabaseSync, sql: string): void {
  try {
    database.exec(sql)
  } catch (error) {
    expect(String(error)).not.toMatch(/tidemark|no such column|_log/)
  }
}

function readTable(database: DatabaseSync, table: TestTable): readonly unknown[] {
  const statement = database.prepare(`SELECT * FROM ${table.name}`)
  statement.setReadBigInts(true)
  return sorted(statement.all().map((row) => ({ ...row })))
}

/** By what is in them: the order of rows is nobody's promise. */
function sorted(rows: readonly object[]): readonly object[] {
  return rows.toSorted((a, b) => (keyText(a) < keyText(b) ? -1 : 1))
}

async function readAll(changes: ChangeConnection, from: LogPosition): Promise<readonly ChangeEvent[]> {
  const events: ChangeEvent[] = []
  for (let after = from, isLast = false; !isLast;) {
    const slice = await changes.readChanges({ after, limit: { events: 7, bytes: 1_000_000 } })
    events.push(...slice.events)
    after = slice.position
    isLast = slice.isLast
  }
  return events
}
