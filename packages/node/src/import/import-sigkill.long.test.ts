import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Exporter, verifyDump } from '@tidemark/core'
import { FakeRuntime, memoryStateStore } from '@tidemark/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { fsStorage } from '../storage/fs-storage.ts'

const WORKER = fileURLToPath(new URL('../test/import-worker.ts', import.meta.url))
const KILLS = 150
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

it(`loads a dump, and the same as a bare file, through ${KILLS} kills`, { timeout: 900_000 }, async () => {
  process.stdout.write(`import kills: SEED=${seed}\n`)
  const runtime = new FakeRuntime({ seed })
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-import-kill-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'app.db')
  const dumps = join(folder, 'dumps')
  make(path)
  await using exporter = new Exporter({ source: nodeSqlite({ path }), storage: fsStorage(dumps), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', partBytes: 65_536, maxStatementBytes: 4_000 })
  await exporter.finish(id)
  copyFileSync(join(dumps, id, 'dump.sql'), join(dumps, 'dump.sql'))
  let kills = 0
  let loads = 0
  while (kills < KILLS || loads < 4) {
    const copy = join(folder, `copy-${loads}.db`)
    for (let wasKilled = true; wasKilled;) {
      wasKilled = await live([dumps, loads % 2 === 0 ? id : 'dump.sql', copy], { lines: 1 + Math.floor(runtime.random() * 4), ms: runtime.random() * 8 })
      if (wasKilled) kills += 1
    }
    loads += 1
    await expect(verifyDump({ storage: fsStorage(dumps), id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true, findings: [] })
    for (const suffix of ['', '-journal']) rmSync(`${copy}${suffix}`, { force: true })
  }
  process.stdout.write(`import kills: ${kills} kills, ${loads} loads\n`)
})

/** Two megabytes, without a key that would hide a row that is loaded twice. */
function make(path: string): void {
  using database = new DatabaseSync(path)
  database.exec(`CREATE TABLE t(a, b TEXT); CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT); CREATE INDEX i ON t(a);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO t SELECT i % 7, printf('%.*c', 20 + i * 7 % 90, char(65 + i % 26)) FROM n;
    INSERT INTO counted(t) SELECT b FROM t WHERE a = 3`)
}

/** One process, killed within or after its so many-th slice. Returns whether it was. */
async function live(args: readonly string[], kill: { readonly lines: number; readonly ms: number }): Promise<boolean> {
  const worker = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', WORKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(worker, 'close') as Promise<[number | null, NodeJS.Signals | null]> // as its documentation says
  let output = ''
  let isArmed = false
  worker.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (isArmed || output.split('\n').length <= kill.lines) return
    isArmed = true
    // Not between two slices only: the time is part of what is random.
    void setTimeout(kill.ms).then(() => worker.kill('SIGKILL'))
  })
  const [code, signal] = await closed
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`The worker ended with ${String(code)}.`)
  return signal === 'SIGKILL' && !output.includes('completed')
}
