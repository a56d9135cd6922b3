import { Replicator, type SourceDialect, type TargetDialect } from '@tidemark/core'
import type { CopyOutcome, CopyRequest } from './copy-request.ts'
import { HeapPeak } from './heap-peak.ts'

/** The whole of our side: from no file to a published table. Adapters are loaded as an application would: only those it uses. */
async function copyOnce(request: CopyRequest): Promise<CopyOutcome> {
  const heap = new HeapPeak()
  const [source, target] = await Promise.all([openSource(request), openTarget(request)])
  const replicator = new Replicator({ target, replications: [{ name: 'copy', source, sourceTable: request.table }] })
  replicator.on('sync:progress', () => heap.sample())
  const { rows } = await replicator.syncNow('copy')
  await replicator.stop()
  return { rows, ...heap.stop() }
}

async function openSource({ source, url }: CopyRequest): Promise<SourceDialect> {
  if (source === 'postgres') return (await import('@tidemark/postgres')).postgresSource({ url })
  return (await import('@tidemark/mysql')).mysqlSource({ url })
}

async function openTarget({ target, path }: CopyRequest): Promise<TargetDialect> {
  if (target === 'node') return (await import('@tidemark/node')).nodeSqliteTarget({ path })
  const { libsqlTarget } = await import('@tidemark/libsql')
  const url = `file:${path}`
  if (target === 'libsql') return libsqlTarget({ url })
  // A client of the application's own: the one way to have it where `libsql` is installed, which a URL prefers.
  const client = (await import('@libsql/client')).createClient({ url, intMode: 'bigint' })
  await client.execute('pragma journal_mode = wal')
  return libsqlTarget({ client })
}

// Written by the parent of this process, of the same type.
const request = JSON.parse(process.argv[2] ?? '') as CopyRequest
process.stdout.write(JSON.stringify(await copyOnce(request)))
