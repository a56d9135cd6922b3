import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Exporter, type StateStore } from '@tidemark/core'
import { fsStorage, nodeSqlite, nodeSqliteStateStore } from '@tidemark/node'
import { createHandler } from './index.ts'
import { makeDatabase } from './test/world.ts'

const EXPORTS = 2_000

const folder = mkdtempSync(join(tmpdir(), 'tidemark-many-'))
const store = nodeSqliteStateStore({ path: join(folder, 'state.db') })
const asked = { get: 0, list: 0 }
const counting: StateStore = {
  get: (key) => { asked.get += 1; return store.get(key) },
  list: (prefix) => { asked.list += 1; return store.list(prefix) },
  set: (...given) => store.set(...given),
  delete: (key) => store.delete(key),
}
makeDatabase(join(folder, 'app.db')).close()
const exporter = new Exporter({ source: nodeSqlite({ path: join(folder, 'app.db') }), storage: fsStorage(join(folder, 'dumps'), { create: true }), state: counting })
const handler = createHandler({ exporter, authorize: () => true })
const begun: string[] = []

beforeAll(async () => {
  for (let i = 0; i < EXPORTS; i += 1) begun.push((await exporter.start()).id)
}, 60_000)
afterAll(async () => {
  handler[Symbol.dispose]()
  await exporter[Symbol.asyncDispose]()
  await store[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function ask(path: string): Promise<{ readonly text: string; readonly get: number; readonly list: number }> {
  const before = { ...asked }
  const answer = await handler(new Request(`http://localhost${path}`))
  const text = await answer.text()
  expect([path, answer.status]).toEqual([path, 200])
  return { text, get: asked.get - before.get, list: asked.list - before.list }
}

interface Page {
  readonly exports: readonly { readonly exportId: string; readonly createdAt: string }[]
  readonly next?: string
}

it('reads as many jobs as it tells of, however many there are', async () => {
  expect(await ask('/export?limit=20')).toMatchObject({ get: 21, list: 1 })
  expect(await ask('/export')).toMatchObject({ get: 51, list: 1 })
  expect(await ask(`/export?limit=10&before=${begun.toSorted()[3]}`)).toMatchObject({ get: 3, list: 1 })
  expect(await ask('/metrics')).toMatchObject({ get: 100, list: 1 })
})

it('gives every export once, newest first, also while there are new ones', async () => {
  const seen: string[] = []
  const times: string[] = []
  let next: string | undefined
  do {
    const page = JSON.parse((await ask(`/export?limit=300${next === undefined ? '' : `&before=${next}`}`)).text) as Page
    seen.push(...page.exports.map(({ exportId }) => exportId))
    times.push(...page.exports.map(({ createdAt }) => createdAt))
    if (next === undefined) await exporter.start()
    next = page.next
  } while (next !== undefined)
  expect(seen.length).toBe(EXPORTS)
  expect(new Set(seen)).toEqual(new Set(begun))
  expect(times).toEqual(times.toSorted().toReversed())
})

it('counts how exports ended', async () => {
  for (const id of begun.slice(0, 3)) await exporter.cancel(id)
  await exporter.finish(begun.at(-1) ?? '')
  const { text } = await ask('/metrics')
  expect(text.split('\n').filter((line) => line.startsWith('tidemark_exports_ended_total'))).toEqual([
    'tidemark_exports_ended_total{status="completed"} 1', 'tidemark_exports_ended_total{status="failed"} 0', 'tidemark_exports_ended_total{status="cancelled"} 3',
  ])
})
