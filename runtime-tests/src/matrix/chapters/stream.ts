import { ChangeStream, type ChangeBatch, type ChangeSource } from '@tidemark/core'
import { postgresChanges } from '@tidemark/postgres'
import { tell } from '../tell.ts'
import type { StoryHost } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

/** The rows that are there, and then each kind of change, to a durable subscriber. */
export async function stream(host: StoryHost): Promise<ToldParts> {
  const app = host.database('app')
  return {
    SQLite: await tell(() => {
      const source = app.changes(['cells'])
      return follow(host, source, async (sql) => {
        await app.run(sql)
        source.notify()
      })
    }),
    PostgreSQL: await tell(() => follow(host, postgresChanges({ url: host.postgres.url, tls: 'disable', slot: 'story', tables: ['cells'] }), (sql) => host.postgres.run(sql))),
  }
}

const WRITES: readonly string[] = [`INSERT INTO cells (id, label) VALUES (20, 'streamed')`, `UPDATE cells SET label = 'changed' WHERE id = 20`, 'DELETE FROM cells WHERE id = 20']

async function follow(host: StoryHost, source: ChangeSource, write: (sql: string) => Promise<void>): Promise<readonly unknown[]> {
  const seen: unknown[] = []
  let isWritten = false
  await using checkpoints = host.database('app').state()
  await using streams = new ChangeStream({ source, checkpoints, snapshot: 'initial', name: 'story' })
  await new Promise<void>((resolve, reject) => {
    const handle = async ({ events }: ChangeBatch): Promise<void> => {
      for (const { op, key, before, after } of events) seen.push([op, key, op === 'delete' ? before : after])
      if (events.some(({ op }) => op === 'delete')) resolve()
      if (isWritten) return
      // Behind the first rows of the snapshot, and once.
      isWritten = true
      for (const sql of WRITES) await write(sql)
    }
    streams.subscribe({ id: 'story' }, handle).then((subscription) => subscription.done).catch(reject)
  })
  await streams.destroy()
  return seen
}
