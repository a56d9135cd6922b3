import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, sql, SqliteDialect, type SqliteDatabase, type SqliteStatement } from 'kysely'
import { describe, expect, it, vi } from 'vitest'
import { deferred } from '../test/deferred.ts'
import { TOKEN, useSites, type Site } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)'
const CAPTURE = { capture: ['users'] } as const

interface Tables {
  readonly users: { readonly id: number; readonly name: string }
}

/** node:sqlite as Kysely's dialect wants a database. */
function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare: (text): SqliteStatement => {
      const statement = database.prepare(text)
      const bound = (values: readonly unknown[]): SQLInputValue[] => values as SQLInputValue[] // what the tests bind
      return {
        reader: statement.columns().length > 0,
        all: (values) => statement.all(...bound(values)),
        run: (values) => statement.run(...bound(values)),
        iterate: (values) => statement.iterate(...bound(values)),
      }
    },
  }
}

describe('the plugin of Kysely', () => {
  const sites = useSites()
  const setUp = async (): Promise<{ readonly b: Site; readonly a: Site; readonly db: Kysely<Tables>; readonly nudge: ReturnType<typeof vi.fn>; readonly works: Promise<unknown>[]; readonly ended: { isSo: boolean }; readonly flushed: () => Promise<void> }> => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    const propagator = sites.propagator(a, [b], { ...CAPTURE, peer: { token: TOKEN } })
    await propagator.flush()
    b.posts.length = 0
    const nudge = vi.spyOn(propagator, 'afterQuery')
    const works: Promise<unknown>[] = []
    const ended = { isSo: false }
    const waitUntil = (work: Promise<unknown>): void => {
      if (ended.isSo) throw new Error('The request has ended.')
      works.push(work)
    }
    const raw = new Kysely<Tables>({ dialect: new SqliteDialect({ database: asKyselyDatabase(new DatabaseSync(a.file, { timeout: 5_000 })) }) })
    sites.use({ [Symbol.asyncDispose]: () => raw.destroy() })
    return { a, b, nudge, works, ended, db: raw.withPlugin(propagator.kyselyPlugin({ waitUntil })), flushed: async () => void await Promise.all(works) }
  }

  it('nudges behind each statement that may write, and a peer gets it', async () => {
    const { a, b, db, nudge, flushed } = await setUp()
    await db.insertInto('users').values([{ id: 1, name: 'Ada' }, { id: 2, name: 'Bob' }]).execute()
    await db.updateTable('users').set({ name: 'Ada L.' }).where('id', '=', 1).returning('id').execute()
    await db.deleteFrom('users').where('id', '=', 2).execute()
    await sql`INSERT INTO users VALUES (3, 'by hand')`.execute(db)
    await db.replaceInto('users').values({ id: 4, name: 'new' }).execute()
    expect(nudge).toHaveBeenCalledTimes(5)
    await flushed()
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(b.cells('users')).toHaveLength(3)
  })

  it('does not for what reads only', async () => {
    const { b, db, nudge } = await setUp()
    expect(await db.selectFrom('users').selectAll().execute()).toEqual([])
    expect(await db.with('u', (builder) => builder.selectFrom('users').select('id')).selectFrom('u').selectAll().execute()).toEqual([])
    expect(nudge).not.toHaveBeenCalled()
    expect(b.posts).toEqual([])
  })

  it('lets the query return before any peer has answered', async () => {
    const { a, b, db, flushed } = await setUp()
    const [asked, answers] = [deferred(), deferred()]
    b.gate = async (_body, through) => {
      asked.resolve()
      await answers.promise
      return through()
    }
    await db.insertInto('users').values({ id: 1, name: 'Ada' }).execute()
    await asked.promise
    expect(await db.selectFrom('users').select('name').execute()).toEqual([{ name: 'Ada' }])
    expect(b.cells('users')).toEqual([])
    answers.resolve()
    await flushed()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('lets no failure of a peer or of the host reach a query, nor a result be another', async () => {
    const { b, db, works, flushed, ended } = await setUp()
    b.gate = () => Promise.resolve(new Response('no', { status: 500 }))
    expect(await db.insertInto('users').values({ id: 1, name: 'Ada' }).executeTakeFirst()).toMatchObject({ numInsertedOrUpdatedRows: 1n })
    await flushed()
    expect(works).toHaveLength(1)
    ended.isSo = true
    expect(await db.insertInto('users').values({ id: 2, name: 'Bob' }).returning('id').execute()).toEqual([{ id: 2 }])
    expect(await db.deleteFrom('users').where('id', '=', 2).returning('id').execute()).toEqual([{ id: 2 }])
    expect(works).toHaveLength(1)
  })

  it('does not for a statement that fails, whose error is what it was', async () => {
    const { db, nudge } = await setUp()
    await db.insertInto('users').values({ id: 1, name: 'Ada' }).execute()
    nudge.mockClear()
    await expect(db.insertInto('users').values({ id: 1, name: 'again' }).execute()).rejects.toThrow('UNIQUE constraint failed')
    expect(nudge).not.toHaveBeenCalled()
  })
})
