import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifyDump } from '@tidemark/core'
import { FakeRuntime } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { runWorker } from '@tidemark/test-servers/run-worker'
import { expect, it, onTestFinished } from 'vitest'
import { postgresSource } from '../postgres-source.ts'
import { useTestDatabase } from '../test/test-database.ts'
import { loadWithPsql } from './test/dump.ts'

const WORKER = fileURLToPath(new URL('test/export-worker.ts', import.meta.url))
const KILLS = 150
/** A copy begins anew with each life, and after five of them the export is given up. */
const KILLS_EACH = 4
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)
const database = await useTestDatabase('export_kill')
const copy = await useTestDatabase('export_kill_copy')

it(`exports the bank at one instant, through ${KILLS} kills and with transfers all the time`, { timeout: 1_800_000 }, async () => {
  process.stdout.write(`export kills: SEED=${seed}\n`)
  const runtime = new FakeRuntime({ seed })
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sigkill-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  await database.execute(`CREATE TABLE accounts (id int PRIMARY KEY, tag text UNIQUE, balance int NOT NULL, filling text); INSERT INTO accounts SELECT g, 'tag ' || g, 100, repeat(md5(g::text), 10) FROM generate_series(1, 3000) g`)
  let kills = 0
  let dumps = 0
  while (kills < KILLS) {
    let id = ''
    for (let lives = 0, isOver = false; !isOver; lives += 1) {
      const killAfter = lives < KILLS_EACH ? 1 + Math.floor(runtime.random() * 9) : Number.POSITIVE_INFINITY
      const life = await runWorker({ file: WORKER, args: [database.url, join(folder, 'dumps'), join(folder, 'state.db'), id], killAfter, onLine: () => transfer(() => runtime.random()) })
      id ||= life.id
      isOver = !life.wasKilled
      if (life.wasKilled) kills += 1
    }
    await copy.execute('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await loadWithPsql(copy.url, join(folder, 'dumps', id, 'dump.sql'))
    expect(await copy.execute('SELECT count(*)::int AS rows, sum(balance)::int AS money, count(DISTINCT tag)::int AS tags FROM accounts')).toEqual([{ rows: 3_000, money: 300_000, tags: 3_000 }])
    await expect(verifyDump({ storage: fsStorage(join(folder, 'dumps')), id, mode: 'deep', against: postgresSource({ url: copy.url }) })).resolves.toMatchObject({ ok: true, findings: [] })
    // Of every copy that was given up nothing is left.
    expect(readdirSync(join(folder, 'dumps', id)).toSorted()).toEqual(['dump.sql', 'manifest.json'])
    dumps += 1
  }
  process.stdout.write(`export kills: ${kills} kills, ${dumps} dumps\n`)
})

async function transfer(random: () => number): Promise<void> {
  const [from, to] = [1 + Math.floor(random() * 3_000), 1 + Math.floor(random() * 3_000)]
  await database.execute(`DO $$ BEGIN UPDATE accounts SET balance = balance - 5 WHERE id = ${from}; UPDATE accounts SET balance = balance + 5, tag = tag || '.' WHERE id = ${to}; END $$`)
}
