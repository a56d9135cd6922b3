import { Importer } from '@tidemark/core'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { fsStorage } from '../storage/fs-storage.ts'

/** Goes on with an import, or begins it, and says so after each slice. To be killed. */
const [folder = '', id = '', path = ''] = process.argv.slice(2)

process.stdout.write('begun\n')
for await (const { status } of new Importer({ source: fsStorage(folder), target: nodeSqlite({ path }) }).run(id.endsWith('.sql') ? { sql: id } : id)) process.stdout.write(`${status}\n`)
