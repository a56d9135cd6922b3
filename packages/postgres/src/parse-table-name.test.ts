import { describe, expect, it } from 'vitest'
import { parseTableName } from './parse-table-name.ts'

describe('parseTableName', () => {
  it.each([
    ['users', { schema: 'public', name: 'users' }],
    ['Users', { schema: 'public', name: 'Users' }],
    ['app.users', { schema: 'app', name: 'users' }],
    ['"odd.name"."Us""ers"', { schema: 'odd.name', name: 'Us"ers' }],
    ['app."order"', { schema: 'app', name: 'order' }],
    ['x; drop table y--', { schema: 'public', name: 'x; drop table y--' }],
    [`"${'é'.repeat(31)}"`, { schema: 'public', name: 'é'.repeat(31) }],
  ])('splits %s', (name, ref) => {
    expect(parseTableName(name, 'public')).toEqual(ref)
  })

  it.each(['', '.', 'a.', '.a', 'a..b', 'a.b.c', '"a', '"a"b', 'a"b', '""', 'a\0b', 'é'.repeat(32), 'x'.repeat(64)])('refuses %j', (name) => {
    expect(() => parseTableName(name, 'public')).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
