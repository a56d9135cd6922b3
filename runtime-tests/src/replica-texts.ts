import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Replicator } from '@tidemark/core'
import { nodeReplicaReader, nodeSqliteSource, nodeSqliteTarget } from '@tidemark/node'

/** Copies values that strings of some runtimes cut short, and prints as JSON what the reader of the copy gives: run by every runtime. */
const folder = mkdtempSync(join(tmpdir(), 'tidemark-texts-'))
const path = join(folder, 'app.db')
const app = new DatabaseSync(path)
app.exec(`CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT, bytes BLOB); INSERT INTO t VALUES (1, 'a' || char(0) || 'b', x'0061'), (2, 'é😀', NULL), (3, NULL, x'')`)
app.close()
const copy = join(folder, 'copy.db')
await using replicator = new Replicator({ target: nodeSqliteTarget({ path: copy }), replications: [{ name: 't', source: nodeSqliteSource({ path }), sourceTable: 't' }] })
await replicator.syncNow('t')
await using reader = nodeReplicaReader({ path: copy })
const rows: unknown[] = []
for await (const row of reader.rows('t')) rows.push([row['id'], row['label'], row['bytes'] instanceof Uint8Array ? [...row['bytes']] : row['bytes']])
process.stdout.write(`${JSON.stringify(rows)}\n`)
rmSync(folder, { recursive: true, force: true })
