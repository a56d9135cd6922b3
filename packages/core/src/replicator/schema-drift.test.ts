import { describe, expect, it } from 'vitest'
import type { ColumnSchema } from '../dialect/table.ts'
import { diffSchema, driftAction, type ColumnChange } from './schema-drift.ts'

function column(name: string, ordinal: number, change: Partial<ColumnSchema> = {}): ColumnSchema {
  return { name, ordinal, sourceType: 'text', logicalType: 'text', storage: 'text', scale: 0, nullable: true, onUnrepresentable: 'error', ...change }
}

const before = { columns: [column('id', 1), column('name', 2)], key: ['id'] }

describe('schema drift', () => {
  it.each<[string, readonly ColumnSchema[], readonly ColumnChange[]]>([
    ['an added column', [column('id', 1), column('name', 2), column('age', 3)], [{ kind: 'added', column: 'age' }]],
    ['a dropped column', [column('id', 1)], [{ kind: 'dropped', column: 'name' }]],
    ['a renamed column', [column('id', 1), column('title', 2)], [{ kind: 'renamed', column: 'name', to: 'title' }]],
    ['a column dropped and added under the same name', [column('id', 1), column('name', 3)], [{ kind: 'dropped', column: 'name' }, { kind: 'added', column: 'name' }]],
    ['another stored form', [column('id', 1), column('name', 2, { logicalType: 'integer', storage: 'integer', sourceType: 'int' })], [{ kind: 'retyped', column: 'name', from: 'text', to: 'int' }]],
    ['another source type stored the same', [column('id', 1), column('name', 2, { sourceType: 'varchar(20)' })], []],
  ])('sees %s', (_title, columns, changes) => {
    expect(diffSchema(before, { columns, key: ['id'] }).changes).toEqual(changes)
  })

  it('follows a renamed key column without taking it for another key', () => {
    const drift = diffSchema(before, { columns: [column('uid', 1), column('name', 2)], key: ['uid'] })
    expect(drift.keyChanged).toBe(false)
  })

  it('sees another key', () => {
    expect(diffSchema(before, { columns: before.columns, key: ['name'] }).keyChanged).toBe(true)
  })

  const added: ColumnChange = { kind: 'added', column: 'a' }
  const dropped: ColumnChange = { kind: 'dropped', column: 'd' }
  const retyped: ColumnChange = { kind: 'retyped', column: 'r', from: 'x', to: 'y' }
  it.each([
    [[], false, 'stop', 'none'],
    [[added], false, 'stop', 'alter-and-backfill'],
    [[dropped], false, 'stop', 'stop'],
    [[dropped], false, 'follow', 'alter'],
    [[dropped, added], false, 'follow', 'alter-and-backfill'],
    [[dropped], false, 'rebuild', 'rebuild'],
    [[retyped], false, 'follow', 'rebuild'],
    [[], true, 'follow', 'rebuild'],
    [[], true, 'stop', 'stop'],
  ] as const)('%j (key changed: %s) under "%s" means %s', (changes, keyChanged, policy, action) => {
    expect(driftAction({ changes, keyChanged }, policy)).toBe(action)
  })
})
