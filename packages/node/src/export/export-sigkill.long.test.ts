import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { verifyDump } from '@tidemark/core'
import { FakeRuntime } from '@tidemark/core/testing'
import { expect, it, onTestFinished } from 'vitest'
import { fsStorage } from '../storage/fs-storage.ts'
import { nodeSqlite } from './node-sqlite.ts'

const WORKER = fileURLToPath(new URL('../test/export-worker.ts', import.meta.url))
const KILLS = 150
const ACCOUNTS = 1_000
const BALANCE = 100
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

interface Life {
  readonly id: string | undefined
  readonly wasKilled: boolean
}

it(`exports the bank at one instant, through ${KILLS} kills and with transfers all the time`, { timeout: 900_000 }, async () => {
  process.stdout.write(`export kills: SEED=${seed}\n`)
  const { random } = seeded(seed)
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-sigkill-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'bank.db')
  using bank = new DatabaseSync(path, { timeout: 5_000 })
  bank.exec(`PRAGMA journal_mode = WAL; CREATE TABLE accounts (id INTEGER PRIMARY KEY, tag TEXT UNIQUE, balance INT NOT NULL);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ACCOUNTS}) INSERT INTO accounts SELECT i, 'tag ' || i, ${BALANCE} FROM n`)
  let kills = 0
  let dumps = 0
  while (kills < KILLS) {
    let id: string | undefined
    for (let isOver = false; !isOver;) {
      const life = await live({ path, folder, id, killAfter: 1 + Math.floor(random() * 4), transfer: () => transfer(bank, random) })
      id ??= life.id
      isOver = !life.wasKilled
      if (life.wasKilled) kills += 1
    }
    await checkDump(folder, String(id))
    dumps += 1
  }
  process.stdout.write(`export kills: ${kills} kills, ${dumps} dumps\n`)
  expect(dumps).toBeGreaterThan(2)
  // No copy, and no upload, is left of any of them.
  expect(readdirSync(folder).filter((name) => name.startsWith('bank.db-tidemark'))).toEqual([])
})

interface LifeRequest {
  readonly path: string
  readonly folder: string
  readonly id: string | undefined
  readonly killAfter: number
  readonly transfer: () => void
}

/** One process, killed once it has said so many things, in the middle of whatever it does then. */
async function live({ path, folder, id, killAfter, transfer }: LifeRequest): Promise<Life> {
  const worker = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', WORKER, path, join(folder, 'dumps'), join(folder, 'state.db'), id ?? ''], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(worker, 'close') as Promise<[number | null, NodeJS.Signals | null]> // as its documentation says
  const lines: string[] = []
  for await (const line of createInterface({ input: worker.stdout })) {
    lines.push(line)
    transfer()
    if (lines.length > killAfter) worker.kill('SIGKILL')
  }
  const [code, signal] = await closed
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`The worker ended with ${String(code)}.`)
  return { id: lines[0], wasKilled: signal === 'SIGKILL' && lines.at(-1) !== 'completed' }
}

/** Money moves, and an account makes room for another by its tag. */
function transfer(bank: DatabaseSync, random: () => number): void {
  const account = (): number => 1 + Math.floor(random() * ACCOUNTS)
  bank.exec('BEGIN IMMEDIATE')
  for (let count = 0; count < 50; count += 1) {
    const amount = Math.floor(random() * 10)
    bank.prepare('UPDATE accounts SET balance = balance - ? WHERE id = ?').run(amount, account())
    const to = account()
    const { changes } = bank.prepare('UPDATE accounts SET balance = balance + ? WHERE id = ?').run(amount, to)
    if (Number(changes) !== 1) throw new Error('An account is missing.')
  }
  bank.exec('COMMIT')
}

async function checkDump(folder: string, id: string): Promise<void> {
  const copy = join(folder, 'copy.db')
  rmSync(copy, { force: true })
  execFileSync('sqlite3', ['-bail', copy], { input: readFileSync(join(folder, 'dumps', id, 'dump.sql')) })
  expect(execFileSync('sqlite3', [copy, 'SELECT count(*), sum(balance) FROM accounts'], { encoding: 'utf8' })).toBe(`${ACCOUNTS}|${ACCOUNTS * BALANCE}\n`)
  await expect(verifyDump({ storage: fsStorage(join(folder, 'dumps')), id, mode: 'deep', against: nodeSqlite({ path: copy }) })).resolves.toMatchObject({ ok: true, findings: [] })
}

function seeded(value: number): { readonly random: () => number } {
  const runtime = new FakeRuntime({ seed: value })
  return { random: () => runtime.random() }
}
