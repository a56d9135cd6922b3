import { existsSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { Exporter } from '@tidemark/core'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { nodeSqliteStateStore } from '../node-sqlite-state-store.ts'
import { fsStorage } from '../storage/fs-storage.ts'

/** Begins an export, says its id, and is killed while the copy for its second slice is being made. */
const [path = '', folder = '', statePath = ''] = process.argv.slice(2)

await using state = nodeSqliteStateStore({ path: statePath })
await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(folder), state, instance: 'worker' })
const { id } = await exporter.start({ tables: ['t'], fileName: 'dump', partBytes: 1_200, maxStatementBytes: 1_000, budget: { bytes: 1 } })
process.stdout.write(id)
watch(dirname(path), () => { if (existsSync(`${path}-tidemark-${id}.1.part`)) process.kill(process.pid, 'SIGKILL') })
await exporter.step(id)
