import { describe, expect, test } from 'vitest'
import { parseScoped, parseTableOption, scopedFor } from './table-option.ts'

describe('parseTableOption', () => {
  test.each([
    ['users', 'users', undefined],
    ['public.users', 'public.users', undefined],
    ['public.users=people', 'public.users', 'people'],
    ['"odd=name"=odd', '"odd=name"', 'odd'],
    ['"say ""hi="""."T"=t', '"say ""hi="""."T"', 't'],
    ['users=a=b', 'users', 'a=b'],
  ])('%s', (text, source, target) => {
    expect(parseTableOption(text)).toEqual({ source, target })
  })

  test.each(['', '=copy', 'users=', '"unclosed'])('refuses %j', (text) => {
    expect(parseTableOption(text)).toBeUndefined()
  })
})

describe('values for one table or for all', () => {
  const tables = [{ source: 'public.users', target: undefined }, { source: 'a:b', target: 'c' }]

  test.each([
    ['updated_at', undefined, 'updated_at'],
    ['public.users:updated_at', 'public.users', 'updated_at'],
    ['a:b:id,part', 'a:b', 'id,part'],
    ['orders:id', undefined, 'orders:id'],
    ['public.users:', undefined, 'public.users:'],
  ])('%s', (text, table, value) => {
    expect(parseScoped(text, tables)).toEqual({ table, value })
  })

  test('a table\'s own value goes before the one for all, in either order', () => {
    const values = [parseScoped('id', tables), parseScoped('public.users:updated_at', tables)]
    for (const order of [values, values.toReversed()]) {
      expect(tables.map((table) => scopedFor(table, order))).toEqual(['updated_at', 'id'])
    }
  })
})
