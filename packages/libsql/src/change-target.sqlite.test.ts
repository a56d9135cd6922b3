import { createClient } from '@libsql/client'
import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { SqliteChangeTarget, type ChangeTargetOptions, type SqliteDriver } from '@tidemark/sqlite'
import { describe, expect, it } from 'vitest'
import { libsqlChanges } from './libsql-changes.ts'
import { libsqlChangeTarget } from './libsql-change-target.ts'
import { LibsqlClientDriver } from './libsql-client-driver.ts'
import { openDriver } from './open-driver.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

const options: ChangeTargetOptions = {
  id: 'counter',
  setup: (transaction) => transaction.run('CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY, n INTEGER)'),
}

const clientDriver = (): SqliteDriver => new LibsqlClientDriver({
  client: createClient({ url: `file:${path('counts.db')}`, intMode: 'bigint', concurrency: 1 }), closes: true,
})

const targets: readonly (readonly [string, () => SqliteChangeTarget])[] = [
  ['libsql', () => libsqlChangeTarget({ url: `file:${path('counts.db')}` }, options)],
  ['@libsql/client', () => new SqliteChangeTarget({ ...options, open: () => Promise.resolve(clientDriver()) })],
]

async function execute(file: string, ...statements: readonly string[]): Promise<void> {
  await using driver = await openDriver({ url: `file:${path(file)}` })
  await driver.transaction(async (transaction) => {
    for (const sql of statements) await transaction.run(sql)
  })
}

async function counts(): Promise<unknown> {
  await using driver = await openDriver({ url: `file:${path('counts.db')}` })
  return (await driver.query('SELECT count(*), sum(n) FROM counts'))[0]
}

const insert = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => `INSERT INTO t VALUES (${from + index})`)

describe.each(targets)('a change target by %s', (_name, open) => {
  it('takes a transaction in parts as one, a failed part alone again, and goes on from its checkpoint', async () => {
    await execute('app.db', 'CREATE TABLE t (id INTEGER PRIMARY KEY)')
    let failures = 1
    const run = async (last: number, write: () => Promise<void>): Promise<void> => {
      await using target = open()
      await using stream = new ChangeStream({
        source: libsqlChanges({ url: `file:${path('app.db')}` }, { tables: ['t'] }), batch: { events: 2 }, retry: { attempts: 3, baseMs: 1, maxMs: 2 },
      })
      const count = target.handler(async (batch: ChangeBatch, transaction) => {
        for (const { key } of batch.events) await transaction.run('INSERT INTO counts VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1', [key?.['id'] ?? null])
        if (!batch.begin && failures-- > 0) throw new Error('after writing')
      })
      const from = await target.checkpoint()
      await new Promise<void>((resolve, reject) => {
        const subscribed = stream.subscribe({ id: 'counter', from }, async (batch: ChangeBatch) => {
          await count(batch)
          if (batch.events.some(({ key }) => key?.['id'] === last)) resolve()
        })
        subscribed.then(async ({ done }) => {
          await write()
          await done
        }).catch(reject)
      })
    }
    await run(5, () => execute('app.db', ...insert(1, 5)))
    expect([failures < 1, await counts()]).toEqual([true, [5, 5]])
    await execute('app.db', ...insert(6, 7))
    await run(7, () => Promise.resolve())
    expect(await counts()).toEqual([7, 7])
  })
})
