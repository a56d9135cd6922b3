import { Exporter } from '@tidemark/core'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { nodeSqliteStateStore } from '../node-sqlite-state-store.ts'
import { fsStorage } from '../storage/fs-storage.ts'

/** Goes on with an export, or begins one, and says so after each slice of one part. To be killed. */
const [path = '', folder = '', statePath = '', known = ''] = process.argv.slice(2)

await using state = nodeSqliteStateStore({ path: statePath })
await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(folder), state, instance: 'worker' })
const id = known === '' ? (await exporter.start({ fileName: 'dump', partBytes: 4_096, maxStatementBytes: 2_000, budget: { bytes: 1 } })).id : known
process.stdout.write(`${id}\n`)
for await (const { status } of exporter.run(id)) process.stdout.write(`${status}\n`)
