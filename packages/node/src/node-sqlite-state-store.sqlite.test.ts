import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { nodeSqliteStateStore } from './node-sqlite-state-store.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

describe('nodeSqliteStateStore', () => {
  it('keeps values by version and refuses a writer who has not read the last', async () => {
    await using store = nodeSqliteStateStore({ path: path('state.db') })
    expect(await store.get('a')).toBeUndefined()
    expect(await store.set('a', 'one', undefined)).toBe(1)
    expect(await store.set('a', 'two', 1)).toBe(2)
    await expect(store.set('a', 'late', 1)).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    await expect(store.set('a', 'new', undefined)).rejects.toMatchObject({ code: 'STATE_CONFLICT' })
    expect(await store.get('a')).toEqual({ value: 'two', version: 2 })
  })

  it('lists by prefix, in which % and _ stand for themselves, and deletes', async () => {
    await using store = nodeSqliteStateStore({ path: path('state.db') })
    for (const key of ['a_1', 'ab1', 'a%1']) await store.set(key, '', undefined)
    expect(await store.list('a_')).toEqual(['a_1'])
    await store.delete('a_1')
    expect(await store.list('a')).toEqual(['a%1', 'ab1'])
  })

  it('gives the same to the next process, and nothing once closed', async () => {
    const store = nodeSqliteStateStore({ path: path('state.db') })
    await store.set('a', 'one', undefined)
    await store[Symbol.asyncDispose]()
    await expect(store.get('a')).rejects.toMatchObject({ code: 'CLOSED' })
    await using next = nodeSqliteStateStore({ path: path('state.db') })
    expect(await next.get('a')).toEqual({ value: 'one', version: 1 })
  })

  it('leaves the journal of an application\'s database as it is', async () => {
    const journalOf = (file: string): unknown => {
      // A connection that was open before may not have noticed yet.
      using database = new DatabaseSync(path(file))
      return database.prepare('PRAGMA journal_mode').get()?.['journal_mode']
    }
    new DatabaseSync(path('app.db')).exec('CREATE TABLE t (id)')
    await using store = nodeSqliteStateStore({ path: path('app.db') })
    await store.set('a', 'one', undefined)
    expect(journalOf('app.db')).toBe('delete')
    await using own = nodeSqliteStateStore({ path: path('state.db') })
    await own.set('a', 'one', undefined)
    expect(journalOf('state.db')).toBe('wal')
  })

  it('says by code what is wrong with its file and its prefix', async () => {
    await using store = nodeSqliteStateStore({ path: path('missing/state.db') })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
    expect(() => nodeSqliteStateStore({ path: 'x', tablePrefix: 'a b' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })
})
