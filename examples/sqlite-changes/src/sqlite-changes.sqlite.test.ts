import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'

const MAIN = fileURLToPath(new URL('sqlite-changes.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'tidemark-example-'))

interface Running {
  stop(signal: NodeJS.Signals): Promise<number | null>
}

async function start(): Promise<Running> {
  const child = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', MAIN, join(folder, 'app.db'), join(folder, 'index.db')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const end = once(child, 'exit')
  const early = end.then(([code]) => { throw new Error(`The example ended by itself with ${String(code)}.`) })
  early.catch(() => undefined)
  await Promise.race([once(child.stdout, 'data'), early])
  return {
    stop: async (signal) => {
      child.kill(signal)
      const [code] = await end as [number | null] // as its documentation says
      return code
    },
  }
}

function query(sql: string): readonly (readonly unknown[])[] {
  if (!existsSync(join(folder, 'index.db'))) return []
  const database = new DatabaseSync(join(folder, 'index.db'), { readOnly: true })
  try {
    return database.prepare(sql).all().map((row) => Object.values(row))
  } finally {
    database.close()
  }
}

/** Looks again whenever something has changed in the folder. */
async function until(sql: string, expected: readonly (readonly unknown[])[]): Promise<void> {
  const isMet = (): boolean => JSON.stringify(query(sql)) === JSON.stringify(expected)
  await new Promise<void>((resolve) => {
    const watcher = watch(folder)
    const check = (): void => {
      if (!isMet()) return
      watcher.close()
      resolve()
    }
    watcher.on('change', check)
    check()
  })
  expect(query(sql)).toEqual(expected)
}

it('keeps a full-text index up to date, each change once, through kills', async () => {
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  using app = new DatabaseSync(join(folder, 'app.db'), { timeout: 5_000 })
  app.exec(`CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT, body TEXT); INSERT INTO articles VALUES (1, 'Tides', 'the sea rises'), (2, 'Hills', 'no water')`)
  const counts = 'SELECT op, n FROM counts ORDER BY op'
  const first = await start()
  await until(counts, [['snapshot', 2]])
  app.exec(`INSERT INTO articles VALUES (3, 'Ships', 'on the sea')`)
  await until(counts, [['insert', 1], ['snapshot', 2]])
  expect(await first.stop('SIGTERM')).toBe(0)
  app.exec(`UPDATE articles SET body = 'dry' WHERE id = 1; DELETE FROM articles WHERE id = 2`)
  const second = await start()
  await until(counts, [['delete', 1], ['insert', 1], ['snapshot', 2], ['update', 1]])
  await second.stop('SIGKILL')
  app.exec(`INSERT INTO articles VALUES (4, 'Fish', 'in the sea')`)
  const third = await start()
  await until(counts, [['delete', 1], ['insert', 2], ['snapshot', 2], ['update', 1]])
  expect(query(`SELECT rowid, title FROM articles WHERE articles MATCH 'sea' ORDER BY rowid`)).toEqual([[3, 'Ships'], [4, 'Fish']])
  expect(query('SELECT count(*) FROM articles')).toEqual([[3]])
  expect(await third.stop('SIGINT')).toBe(0)
})
