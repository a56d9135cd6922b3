import { DatabaseSync } from 'node:sqlite'
import { sessionChanges } from '@tidemark/node'

/**
 * What a session tells of one small history, as a line of JSON: run by every runtime, compared by the test. Touches all that the session
 * source needs of node:sqlite: text with a NUL, 64-bit integers, infinities, rollback, savepoints, generated columns, a chunk.
 */
const LIMIT = { events: 2, bytes: 1_000_000 }

const database = new DatabaseSync(':memory:')
database.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, v, name TEXT, shout AS (name || '!'));
  CREATE TABLE k (a TEXT, b, PRIMARY KEY (a, b)) WITHOUT ROWID`)

const source = sessionChanges(database, { tables: ['t', 'k'] })
const connection = await source.connect()
let after = await connection.head()

const woken: string[] = []
connection.onWake(() => woken.push('wake'))

source.transaction(() => {
  database.exec('INSERT INTO t (id, v, name) VALUES (1, 1, \'a\' || char(0) || \'b\'), (2, 1.0, \'é😀\'), (3, 9223372036854775807, NULL), (4, -9e999, \'\')')
  database.exec('INSERT INTO k VALUES (\'x\' || char(0) || \'1\', 1), (\'x\' || char(0) || \'2\', 2.5), (\'y\', x\'00ff\')')
  database.exec('SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; RELEASE s')
})
source.transaction(() => database.exec('UPDATE t SET v = x\'00ff\' WHERE id = 1'))
try {
  source.transaction(() => {
    database.exec('DELETE FROM t')
    throw new RangeError('undone')
  })
} catch {
  // Nothing of it may be seen.
}
database.exec('UPDATE t SET name = \'c\' || char(0xfffd) WHERE id = 2')

const changes: unknown[] = []
for (;;) {
  const slice = await connection.readChanges({ after, limit: LIMIT })
  for (const event of slice.events) {
    const { op, table, key, before, after: image } = event
    changes.push({ op, table, key, before, after: image, changed: event.op === 'update' ? event.changed : undefined })
  }
  after = slice.position
  if (slice.isLast) break
}

const rows: unknown[] = []
for (const table of ['t', 'k']) {
  for (let last: string | undefined; ;) {
    const chunk = await connection.readChunk?.({ table, after: last, limit: LIMIT })
    rows.push(...chunk?.events.map((event) => event.after) ?? [])
    last = chunk?.last
    if (chunk?.isLast !== false) break
  }
}

await connection[Symbol.asyncDispose]()
const left = database.prepare('SELECT count(*) AS n FROM temp.sqlite_master').get()
database.close()

// A session gives rows in no order; by their text they have one.
const text = (value: unknown): string => JSON.stringify(value, (_, part: unknown) => {
  if (typeof part === 'bigint') return `${part}n`
  if (part instanceof Uint8Array) return [...part]
  return typeof part === 'number' && !Number.isFinite(part) ? String(part) : part
})
process.stdout.write(`${text({ changes: changes.map(text).toSorted(), rows, woken, left })}\n`)
