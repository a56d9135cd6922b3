import { Exporter } from '@tidemark/core'
import { fsStorage, nodeSqliteStateStore } from '@tidemark/node'
import { mysqlSource } from '../../mysql-source.ts'

/** Goes on with an export, or begins one, and says so after each slice of one part. To be killed. */
const [url = '', folder = '', statePath = '', known = ''] = process.argv.slice(2)

await using state = nodeSqliteStateStore({ path: statePath })
await using exporter = new Exporter({ source: mysqlSource({ url }), storage: fsStorage(folder), state, instance: 'worker' })
const id = known === '' ? (await exporter.start({ fileName: 'dump', partBytes: 110_000, budget: { bytes: 1 } })).id : known
process.stdout.write(`${id}\n`)
for await (const { status } of exporter.run(id)) process.stdout.write(`${status}\n`)
