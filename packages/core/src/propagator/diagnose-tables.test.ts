import { describe, expect, it } from 'vitest'
import type { ChangeTable } from '../dialect/change-source.ts'
import { diagnoseTables } from './diagnose-tables.ts'

function table(name: string, key: readonly string[], columns: readonly (readonly [string, string, boolean])[]): ChangeTable {
  return { schema: 'main', name, key, version: 1, columns: columns.map(([column, type, nullable]) => ({ name: column, type, nullable, generated: false })) }
}

const TABLES = [
  table('keyless', [], [['a', 'TEXT', true]]),
  table('nullable', ['id'], [['id', 'TEXT', true]]),
  table('counted', ['id'], [['id', 'INTEGER', false]]),
  table('fine', ['id'], [['id', 'TEXT', false]]),
]

describe('doctor', () => {
  it('names tables that can not be propagated, or not for long', () => {
    expect(diagnoseTables(TABLES, { isVersioned: false }).map(({ table: of, id }) => [of, id])).toEqual([['keyless', 'key-missing'], ['nullable', 'key-nullable']])
  })

  it('advises against numbers that several instances count up', () => {
    expect(diagnoseTables(TABLES, { isVersioned: true }).map(({ table: of, id }) => [of, id])).toContainEqual(['counted', 'key-may-collide'])
  })
})
