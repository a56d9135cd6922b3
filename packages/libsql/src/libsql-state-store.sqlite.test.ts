import { DatabaseSync } from 'node:sqlite'
import { createClient } from '@libsql/client'
import { expect, it } from 'vitest'
import { libsqlStateStore } from './libsql-state-store.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

/** As the file says: a connection that was open before may not have noticed yet. */
function journalOf(file: string): unknown {
  using database = new DatabaseSync(path(file))
  return database.prepare('PRAGMA journal_mode').get()?.['journal_mode']
}

async function write(file: string): Promise<void> {
  await using store = libsqlStateStore({ url: `file:${path(file)}` })
  await store.set('a', 'one', (await store.get('a'))?.version)
  expect(await store.get('a')).toMatchObject({ value: 'one' })
}

it.each(['delete', 'wal'])('leaves the journal of an application\'s file as it is (%s)', async (mode) => {
  const database = new DatabaseSync(path('app.db'))
  database.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE t (id)`)
  database.close()
  await write('app.db')
  const client = createClient({ url: `file:${path('app.db')}`, intMode: 'bigint' })
  await using store = libsqlStateStore({ client })
  await store.set('b', 'two', undefined)
  client.close()
  expect(journalOf('app.db')).toBe(mode)
})

it('makes a file in WAL mode, which the next to open it leaves so', async () => {
  await write('state.db')
  expect(journalOf('state.db')).toBe('wal')
  await write('state.db')
  expect(journalOf('state.db')).toBe('wal')
})
