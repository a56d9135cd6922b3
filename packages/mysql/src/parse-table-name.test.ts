import { describe, expect, it } from 'vitest'
import { parseTableName } from './parse-table-name.ts'

describe('parseTableName', () => {
  it.each([
    ['users', { name: 'users' }],
    ['app.users', { schema: 'app', name: 'users' }],
    ['`app`.`odd.name`', { schema: 'app', name: 'odd.name' }],
    ['`a``b`', { name: 'a`b' }],
    ['order', { name: 'order' }],
    ['x; drop table y--', { name: 'x; drop table y--' }],
    ['"quoted"', { name: 'quoted' }],
    ['"odd.na""me"."Users"', { schema: 'odd.na"me', name: 'Users' }],
    ['naïve 表', { name: 'naïve 表' }],
  ])('%s', (name, ref) => {
    expect(parseTableName(name, undefined)).toEqual(ref)
  })

  it('applies the default database to a bare name only', () => {
    expect(parseTableName('users', 'app')).toEqual({ schema: 'app', name: 'users' })
    expect(parseTableName('other.users', 'app')).toEqual({ schema: 'other', name: 'users' })
  })

  it.each(['', '.', 'a.', '.a', 'a..b', 'a.b.c', '`a', 'a`b', '``', '`a`b', 'a\0b', '`a\0`', 'x'.repeat(65), 'trailing '])('refuses %j', (name) => {
    expect(() => parseTableName(name, undefined)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
