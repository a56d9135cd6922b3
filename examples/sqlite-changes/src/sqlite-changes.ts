import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { nodeSqliteChangeTarget, sqliteChanges, type ChangeTargetTransaction } from '@tidemark/node'

/** The table that is indexed, as this program sees it. */
interface Database {
  articles: { id: number; title: string; body: string }
}

const [path, indexPath = 'index.db'] = process.argv.slice(2)
if (path === undefined) {
  process.stderr.write('Usage: pnpm start DATABASE [INDEX]\n')
  process.exit(2)
}

const target = nodeSqliteChangeTarget({
  path: indexPath,
  id: 'indexer',
  setup: async (transaction) => {
    await transaction.run('CREATE VIRTUAL TABLE IF NOT EXISTS articles USING fts5 (title, body)')
    // Not idempotent, on purpose: a change that took effect twice would be counted twice.
    await transaction.run('CREATE TABLE IF NOT EXISTS counts (op TEXT PRIMARY KEY, n INTEGER NOT NULL)')
  },
})
const stream = new ChangeStream<Database>({
  source: sqliteChanges({ path }, { tables: ['articles'] }),
  snapshot: 'initial',
  // The same each time: what a killed run held is taken back at once.
  instance: 'indexer',
})

async function index(batch: ChangeBatch<Database>, transaction: ChangeTargetTransaction): Promise<void> {
  for (const event of batch.events) {
    // An update's image could lack columns with other engines; SQLite sends whole rows.
    const { before, after } = event
    if (before?.id !== undefined) await transaction.run('DELETE FROM articles WHERE rowid = ?', [before.id])
    if (after?.id !== undefined) {
      // A row of the snapshot may be there already: a change of it came first.
      await transaction.run('DELETE FROM articles WHERE rowid = ?', [after.id])
      await transaction.run('INSERT INTO articles (rowid, title, body) VALUES (?, ?, ?)', [after.id, after.title ?? null, after.body ?? null])
    }
    await transaction.run('INSERT INTO counts VALUES (?, 1) ON CONFLICT (op) DO UPDATE SET n = n + 1', [event.op])
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stream.stop())
}

const subscription = await stream.subscribe({ id: 'indexer', from: await target.checkpoint() }, target.handler(index))
process.stdout.write(`Indexing articles of ${path} in ${indexPath}. Ctrl-C stops it; the same command goes on.\n`)
try {
  await subscription.done
} finally {
  await stream.stop()
  await target[Symbol.asyncDispose]()
}
