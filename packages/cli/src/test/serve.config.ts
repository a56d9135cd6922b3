import { join } from 'node:path'
import { ChangeStream, Exporter, Replicator } from '@tidemark/core'
import { bearerTokens } from '@tidemark/http'
import { fsStorage, nodeSqlite, nodeSqliteSource, nodeSqliteStateStore, nodeSqliteTarget, sqliteChanges } from '@tidemark/node'
import { defineConfig } from '../serve-config.ts'

/** What the test of `serve` serves, from the folder that it names. */
// oxlint-disable-next-line import/no-default-export -- what `serve` reads
export default defineConfig(async () => {
  const folder = process.env['FOLDER'] ?? ''
  const app = { path: join(folder, 'app.db') }
  const source = sqliteChanges(app, { tables: ['users'] })
  await source.install()
  return {
    basePath: '/data',
    authorize: bearerTokens({ admin: { env: 'ADMIN_TOKEN' } }),
    replicator: new Replicator({ target: nodeSqliteTarget({ path: join(folder, 'replica.db') }), replications: [{ name: 'users', source: nodeSqliteSource(app), sourceTable: 'users' }] }),
    exporter: new Exporter({ source: nodeSqlite(app), storage: fsStorage(join(folder, 'dumps')), state: nodeSqliteStateStore({ path: join(folder, 'state.db') }), instance: 'serve' }),
    streams: new ChangeStream({ source }),
  }
})
