import { join } from 'node:path'
import { Importer, type StateStore } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { createHandler } from '../index.ts'

/** Asks for an import, and kills itself right before a note of it is written, or right after: `completed before`, `isLoaded after`. */
const [folder = '', exportId = '', which = '', when = '', runs = ''] = process.argv.slice(2)

const store = nodeSqliteStateStore({ path: join(folder, 'state.db') })
const die = (): void => process.kill(process.pid, 'SIGKILL')
const state: StateStore = {
  get: (key) => store.get(key), list: (prefix) => store.list(prefix), delete: (key) => store.delete(key),
  set: async (key, value, expected) => {
    const isIt = value.includes(which === 'completed' ? '"status":"completed"' : '"isLoaded":true')
    if (isIt && when === 'before') die()
    const version = await store.set(key, value, expected)
    if (isIt) die()
    return version
  },
}
const handler = createHandler({
  authorize: () => true, imports: { state, runs: runs === 'runs', waitMs: 60_000 },
  importer: new Importer({ source: fsStorage(join(folder, 'dumps')), target: nodeSqlite({ path: join(folder, 'imported.db') }) }),
})
const answer = await handler(new Request('http://localhost/import', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ exportId }) }))
process.stdout.write(`${answer.status} ${await answer.text()}`)
