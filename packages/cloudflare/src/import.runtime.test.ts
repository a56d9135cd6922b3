import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

const FORMATS = ['sql', 'file', 'csv', 'ndjson'] as const
const DATABASES = ['FROM', 'EMPTY', 'both-sql', 'both-ndjson', 'LONG', 'long-sql', 'long-csv', ...FORMATS]

let worker: StartedWorker
beforeAll(async () => {
  worker = await startWorker('import-worker.ts', { durableObjects: { OBJECTS: { className: 'ImportObject', useSQLite: true } }, d1Databases: DATABASES, r2Buckets: ['BUCKET'] })
})
afterAll(() => worker[Symbol.asyncDispose]())

interface Step {
  readonly done: boolean
  readonly code?: string
  readonly status: { readonly rows: number; readonly totalRows: number | undefined; readonly notes: readonly string[] }
}

async function ask(path: string): Promise<unknown> {
  return JSON.parse(await worker.ask(path))
}

/** A request a step; the last one's answer. */
async function load(place: string, input: string): Promise<{ readonly steps: number; readonly last: Step }> {
  for (let steps = 1; ; steps += 1) {
    const last = await ask(`${place}/step?${input}`) as Step
    if (last.code !== undefined) throw new Error(JSON.stringify(last))
    if (last.done) return { steps, last }
  }
}

async function put(key: string, text: string): Promise<void> {
  await (await worker.runtime.getR2Bucket('BUCKET')).put(key, text)
}

describe.each(['/object/from', '/d1/FROM'])('what was dumped in a database of its own kind (%s)', (from) => {
  const placeOf = (name: string): string => (from === '/object/from' ? `/object/${name}` : `/d1/${name}`)
  let ids: Readonly<Record<string, string>>
  let contents: unknown
  beforeAll(async () => {
    ids = await ask(`${from}/fill`) as Readonly<Record<string, string>>
    contents = await ask(`${from}/contents`)
    if ('code' in ids) throw new Error(JSON.stringify(ids))
  })

  it.each(FORMATS)('is loaded step by step, cell by cell, and verified (%s)', async (format) => {
    const place = placeOf(format)
    const { steps, last } = await load(place, `dump=${ids[format] ?? ''}`)
    expect(steps).toBeGreaterThan(format === 'file' ? 1 : 10)
    expect(last.status).toMatchObject({ notes: [] })
    // Where rows come as statements, long values take more of them.
    expect(last.status.rows).toBeGreaterThanOrEqual(last.status.totalRows ?? Number.NaN)
    expect(await ask(`${place}/contents`)).toEqual(contents)
    expect(await ask(`${place}/tables`)).toEqual([[0]])
    expect(await ask(`${place}/verify?dump=${ids[format] ?? ''}`)).toMatchObject({ ok: true, findings: [] })
  })

  it.each(['sql', 'ndjson'])('is loaded once by two at a time (%s)', async (format) => {
    const place = placeOf(`both-${format}`)
    // The one that lost finds the other's tables, or what it has stored, as their steps fall.
    expect(['LEASE_LOST,completed', 'TARGET_NOT_OWNED,completed']).toContain(String(await ask(`${place}/both?dump=${ids[format] ?? ''}`)))
    expect(await ask(`${place}/contents`)).toEqual(contents)
  })
})

describe.each(['object', 'd1'])('rows near the limit of 2 MB (%s)', { timeout: 60_000 }, (place) => {
  it.each(['sql', 'csv'])('are dumped, loaded and verified (%s)', async (format) => {
    const [from, to] = place === 'object' ? [`/object/long-from-${format}`, `/object/long-${format}`] : ['/d1/LONG', `/d1/long-${format}`]
    const id = (await ids(from))[format] ?? ''
    await load(to, `dump=${id}`)
    expect(await ask(`${to}/contents`)).toEqual(await ask(`${from}/contents`))
    expect(await ask(`${to}/verify?dump=${id}`)).toMatchObject({ ok: true, findings: [] })
  })

  const known = new Map<string, Promise<unknown>>()
  async function ids(from: string): Promise<Readonly<Record<string, string>>> {
    const asked = known.get(from) ?? ask(`${from}/fill-long`)
    known.set(from, asked)
    return await asked as Readonly<Record<string, string>>
  }
})

describe('a Durable Object', () => {
  it.each(['sql', 'csv'])('that is killed within each slice loads every row once (%s)', async (format) => {
    const ids = await ask(`/object/from-${format}/fill`) as Readonly<Record<string, string>>
    const id = ids[format] ?? ''
    let kills = 0
    for (let isDone = false; !isDone;) {
      const killed = await worker.ask(`/object/killed-${format}/kill?dump=${id}`).catch((error: unknown) => error)
      if (killed instanceof Error) kills += 1
      const step = await ask(`/object/killed-${format}/step?dump=${id}`) as Step
      if (step.code !== undefined) throw new Error(JSON.stringify(step))
      isDone = step.done
    }
    expect(kills).toBeGreaterThan(10)
    expect(await ask(`/object/killed-${format}/keys`)).toEqual([[1]])
    expect(await ask(`/object/killed-${format}/contents`)).toEqual(await ask(`/object/from-${format}/contents`))
  })

  it('enforces foreign keys as before once it is loaded, and tells of rows that they would have refused', async () => {
    await put('orphans.sql', 'CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b (id));\nCREATE TABLE b (id INTEGER PRIMARY KEY);\nINSERT INTO a VALUES (1, 7), (2, 8);\n')
    const { last } = await load('/object/orphans', 'sql=orphans.sql')
    expect(last.status.notes).toEqual([`2 rows of 'a' refer to rows of 'b' that are not there.`])
    expect(last.status.rows).toBe(2)
    expect(await ask('/object/orphans/keys')).toEqual([[1]])
  })
})

describe('two that write to a Durable Object at once', () => {
  it('meet no foreign keys, and leave them as they were, wherever the second begins as the first is done', async () => {
    const rounds = await ask('/object/at-once/at-once') as readonly unknown[]
    expect(rounds.length).toBeGreaterThan(5)
    for (const round of rounds) expect(round).toEqual({ failed: [], keys: 1 })
  })
})

describe('D1', () => {
  it('ends with a code where a row refers to one that is not there', async () => {
    expect(await ask('/d1/EMPTY/step?sql=orphans.sql')).toMatchObject({ code: 'TARGET_CONSTRAINT' })
  })
})

describe.each(['/object/empty', '/d1/EMPTY'])('a statement that fails (%s)', (place) => {
  it('is told with its line, and nothing of its slice is kept', async () => {
    const rows = Array.from({ length: 30 }, (_, index) => `INSERT INTO t VALUES (${index === 20 ? 3 : index});\n`)
    await put('twice.sql', `CREATE TABLE t (id INTEGER PRIMARY KEY);\n${rows.join('')}`)
    expect(await ask(`${place}/step?sql=twice.sql`)).toEqual({ code: 'STATEMENT_FAILED', detail: 'twice.sql:22', cause: 'TARGET_CONSTRAINT' })
    await put('once.sql', 'CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1), (2);')
    expect((await load(place, 'sql=once.sql')).last.status.rows).toBe(2)
  })
})
