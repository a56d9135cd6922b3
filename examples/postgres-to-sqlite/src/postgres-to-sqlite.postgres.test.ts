import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { postgresForTests } from '@tidemark/test-servers/vitest'
import postgres from 'postgres'
import { expect, test } from 'vitest'

const HERE = dirname(fileURLToPath(import.meta.url))

test('the example copies a table, and Ctrl-C ends it', async () => {
  await using database = await (await postgresForTests()).createDatabase()
  const sql = postgres(database.url, { max: 1, onnotice: () => {} })
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-example-'))
  try {
    await sql`create table notes (id bigint primary key, body text, updated_at timestamptz not null default clock_timestamp())`
    await sql`create index on notes (updated_at, id)`
    await sql`insert into notes (id, body) select n, 'note ' || n from generate_series(1, 500) as n`
    const path = join(folder, 'replica.db')
    const example = spawn(process.execPath, ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning', join(HERE, 'postgres-to-sqlite.ts'), 'public.notes', 'updated_at', path], {
      env: { ...process.env, DATABASE_URL: database.url }, stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exit = once(example, 'exit')
    for await (const line of createInterface(example.stdout)) {
      // The process ends by itself: nothing keeps it alive once it has stopped.
      if (line.includes('500 rows changed')) example.kill('SIGINT')
    }
    expect(await exit).toEqual([0, null])
    using copy = new DatabaseSync(path, { readOnly: true })
    expect(copy.prepare('SELECT count(*) AS rows, min(body) AS body FROM notes').get()).toEqual({ rows: 500, body: 'note 1' })
  } finally {
    await sql.end({ timeout: 5 })
    await rm(folder, { recursive: true, force: true })
  }
})
