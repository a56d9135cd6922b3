import { channel, subscribe, tracingChannel, unsubscribe } from 'node:diagnostics_channel'
import { DatabaseSync } from 'node:sqlite'
import { Replicator } from '@tidemark/core'
import { expect, it } from 'vitest'
import { nodeSqliteSource } from '../node-sqlite-source.ts'
import { nodeSqliteTarget } from '../node-sqlite-target.ts'
import { useFolder } from '../test/use-folder.ts'
import { publishDiagnostics, type DiagnosticOperation } from './publish-diagnostics.ts'

const path = useFolder()

function replicate(): Replicator {
  using database = new DatabaseSync(path('app.db'))
  database.exec('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, \'canary-value\')')
  const source = nodeSqliteSource({ path: path('app.db') })
  return new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }),
    replications: [{ name: 'users', source, sourceTable: 'users' }, { name: 'broken', source, sourceTable: 'missing' }],
  })
}

it('publishes events under their names, and operations as a tracing channel has them, until it is disposed', async () => {
  await using replicator = replicate()
  const seen: unknown[] = []
  const operations = new Set<unknown>()
  const note = (moment: string) => (operation: unknown): void => {
    const { attributes, result, error } = operation as DiagnosticOperation // what the channel publishes
    operations.add(operation)
    seen.push([moment, attributes['tidemark.replication'], result?.['tidemark.rows'] ?? error?.code])
  }
  const traced = { start: note('start'), end: note('end'), asyncStart: note('asyncStart'), asyncEnd: note('asyncEnd'), error: note('error') }
  const onProgress = (event: unknown): void => void seen.push(['progress', (event as { readonly name: string }).name])
  tracingChannel('tidemark:replicator:sync').subscribe(traced)
  subscribe('tidemark:replicator:sync:progress', onProgress)
  const publishing = publishDiagnostics({ replicator })
  try {
    await replicator.syncNow('users')
    expect(seen.filter((entry) => Array.isArray(entry) && entry[0] !== 'progress')).toEqual([['start', 'users', undefined], ['end', 'users', undefined], ['asyncStart', 'users', 1], ['asyncEnd', 'users', 1]])
    expect(seen).toContainEqual(['progress', 'users'])
    expect(operations.size).toBe(1)
    expect(JSON.stringify([...operations])).not.toContain('canary')
    seen.length = 0
    await replicator.syncNow('broken').catch(() => undefined)
    expect(seen).toEqual([['start', 'broken', undefined], ['end', 'broken', undefined], ['error', 'broken', 'TABLE_UNKNOWN'], ['asyncStart', 'broken', 'TABLE_UNKNOWN'], ['asyncEnd', 'broken', 'TABLE_UNKNOWN']])
    publishing[Symbol.dispose]()
    seen.length = 0
    await replicator.syncNow('users')
    expect(seen).toEqual([])
  } finally {
    tracingChannel('tidemark:replicator:sync').unsubscribe(traced)
    unsubscribe('tidemark:replicator:sync:progress', onProgress)
  }
})

it('makes nothing for channels without subscribers', async () => {
  await using replicator = replicate()
  using _publishing = publishDiagnostics({ replicator })
  const published = channel('tidemark:replicator:sync:success')
  let publishes = 0
  published.publish = () => { publishes += 1 }
  await replicator.syncNow('users')
  expect([published.hasSubscribers, publishes]).toEqual([false, 0])
  // One that comes later gets what is from then on.
  const names: unknown[] = []
  const onSuccess = (event: unknown): void => void names.push((event as { readonly name: string }).name)
  Reflect.deleteProperty(published, 'publish')
  subscribe('tidemark:replicator:sync:success', onSuccess)
  await replicator.syncNow('users')
  unsubscribe('tidemark:replicator:sync:success', onSuccess)
  expect(names).toEqual(['users'])
})
