import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const WORKER = fileURLToPath(new URL('test/change-target-worker.ts', import.meta.url))
/** More than there are steps in a round: the loop ends when one was survived. */
const MOST_STEPS = 30
/** Rows of one transaction, which comes in two parts. */
const ROWS = 3

/** Whether it was killed; it fails when the worker ended in any third way. */
async function runWorker(last: number, killAt: number): Promise<boolean> {
  const flags = ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning']
  const worker = spawn(process.execPath, [...flags, WORKER, path('app.db'), path('counts.db'), String(last), String(killAt)], { stdio: ['ignore', 'inherit', 'inherit'] })
  onTestFinished(() => void worker.kill('SIGKILL'))
  const [code, signal] = await once(worker, 'close') as [number | null, NodeJS.Signals | null] // as its documentation says
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`The worker ended with ${String(code ?? signal)}.`)
  return signal === 'SIGKILL'
}

function counted(): { readonly rows: number; readonly wrong: number } {
  const database = new DatabaseSync(path('counts.db'), { readOnly: true })
  try {
    const [row] = database.prepare('SELECT count(*) AS rows, count(*) FILTER (WHERE n <> 1) AS wrong FROM counts').all()
    return { rows: Number(row?.['rows']), wrong: Number(row?.['wrong']) }
  } finally {
    database.close()
  }
}

/** In one transaction. Returns the last id. */
function insert(source: DatabaseSync, last: number): number {
  source.exec('BEGIN')
  for (let row = 1; row <= ROWS; row += 1) source.prepare('INSERT INTO t VALUES (?)').run(last + row)
  source.exec('COMMIT')
  return last + ROWS
}

it('counts each row once, wherever the process is killed', { timeout: 120_000 }, async () => {
  using source = new DatabaseSync(path('app.db'), { timeout: 5_000 })
  source.exec('CREATE TABLE t (id INTEGER PRIMARY KEY)')
  await runWorker(0, 0)
  let last = 0
  let killAt = 1
  for (; killAt <= MOST_STEPS; killAt += 1) {
    // Only when the one before is counted: all that waits comes as one, and would grow faster than the steps that are reached.
    if (counted().rows === last) last = insert(source, last)
    const wasKilled = await runWorker(last, killAt)
    const { rows, wrong } = counted()
    expect({ killAt, wrong, ofPart: rows % ROWS }).toEqual({ killAt, wrong: 0, ofPart: 0 })
    if (!wasKilled) break
  }
  process.stdout.write(`change target: killed at ${killAt - 1} steps, ${last} rows\n`)
  expect(counted()).toEqual({ rows: last, wrong: 0 })
  expect(killAt).toBeGreaterThan(10)
  expect(killAt).toBeLessThan(MOST_STEPS)
})
