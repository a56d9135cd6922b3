import { DatabaseSync } from 'node:sqlite'
import { Replicator, type SourceDialect } from '@tidemark/core'
import { expect, it } from 'vitest'
import { nodeSqliteSource } from './node-sqlite-source.ts'
import { nodeSqliteTarget } from './node-sqlite-target.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()

function run(sql: string): void {
  using database = new DatabaseSync(path('source.db'))
  database.exec(sql)
}

/** The source, and how many rows each page of it was asked for. */
function watchedSource(): { readonly source: SourceDialect; readonly limits: number[] } {
  const dialect = nodeSqliteSource({ path: path('source.db') })
  const limits: number[] = []
  const connect: SourceDialect['connect'] = async (options) => {
    const connection = await dialect.connect(options)
    const readRows = connection.readRows.bind(connection)
    return Object.assign(connection, {
      readRows: (request: Parameters<typeof readRows>[0]) => {
        limits.push(request.limit)
        return readRows(request)
      },
    })
  }
  return { source: { ...dialect, connect }, limits }
}

it('a run asks for pages of the size that the run before found', async () => {
  run(`CREATE TABLE users (id INTEGER PRIMARY KEY, changed INTEGER NOT NULL);
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 600)
    INSERT INTO users SELECT n, n FROM numbers`)
  const { source, limits } = watchedSource()
  await using replicator = new Replicator({
    target: nodeSqliteTarget({ path: path('copy.db') }),
    replications: [{ name: 'users', source, sourceTable: 'users', trackingColumn: 'changed', settleGraceMs: 0 }],
  })
  await replicator.syncNow('users')
  expect(limits.slice(0, 2)).toEqual([200, 800])
  limits.length = 0
  run('UPDATE users SET changed = 10000 + id WHERE id <= 500')
  await replicator.syncNow('users')
  expect(limits).toEqual([1_600])
})
