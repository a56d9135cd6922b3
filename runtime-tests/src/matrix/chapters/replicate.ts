import { Replicator, type ColumnOverride, type SourceDialect, type TargetDialect } from '@tidemark/core'
import { postgresSource } from '@tidemark/postgres'
import { cellsOf } from '../cells.ts'
import { tell } from '../tell.ts'
import type { StoryHost } from '../story-host.ts'
import type { ToldParts } from '../told.ts'

/** In the copy's place of a table, so that a copy beside its source is another. */
const TABLE = 'copied'

/** A copy refuses infinities, which it has no form for, unless one is chosen. */
const TYPES = { value: { onUnrepresentable: 'text' } } as const

const LATER = `INSERT INTO cells (id, label) VALUES (9223372036854775807, 'later') ON CONFLICT DO NOTHING`

/** Copies, and then what was written since. */
export async function replicate(host: StoryHost): Promise<ToldParts> {
  const [app, copy, postgresCopy] = [host.database('app'), host.database('copy'), host.database('postgresCopy')]
  const writeLater = (id: number) => () => app.run(`INSERT OR IGNORE INTO cells VALUES (${id}, 'later', 2.5)`)
  const told = {
    'SQLite': await tell(async () => {
      const counts = await syncTwice({ source: await app.source(), target: copy.target(), types: TYPES }, writeLater(12))
      return { counts, rows: await cellsOf(copy, { table: TABLE }) }
    }),
    'PostgreSQL': await tell(async () => {
      const write = () => host.postgres.run(LATER)
      const counts = await syncTwice({ source: postgresSource({ url: host.postgres.url, tls: 'disable' }), target: postgresCopy.target() }, write)
      return { counts, rows: await cellsOf(postgresCopy, { table: TABLE, columns: ['id', 'label', 'amount', 'made', 'bytes', 'ratio', 'tags'] }) }
    }),
    'SQLite to libSQL': await tell(async () => {
      const libsql = host.libsql()
      const counts = await syncTwice({ source: await app.source(), target: libsql.target(), types: TYPES }, writeLater(13))
      return { counts, rows: await cellsOf(libsql, { table: TABLE }) }
    }),
  }
  // Also where nothing was copied: the chapters behind this one go on with these rows.
  for (const write of [writeLater(12), writeLater(13)]) await write()
  await host.postgres.run(LATER)
  return told
}

interface Ends {
  readonly source: SourceDialect
  readonly target: TargetDialect
  readonly types?: Readonly<Record<string, ColumnOverride>>
}

/** How many rows the first sync brought and the second. */
async function syncTwice({ source, target, types }: Ends, write: () => Promise<void>): Promise<readonly number[]> {
  await using replicator = new Replicator({ target, replications: [{ name: 'cells', source, sourceTable: 'cells', targetTable: TABLE, types }] })
  const { rows: first } = await replicator.syncNow('cells')
  await write()
  const { rows: second } = await replicator.syncNow('cells')
  return [first, second]
}
