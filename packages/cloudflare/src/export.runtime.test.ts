import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExportStatus } from '@tidemark/core'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorker, type StartedWorker } from './test/start-worker.ts'

let worker: StartedWorker
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-worker-'))
  worker = await startWorker('export-worker.ts', { durableObjects: { OBJECTS: { className: 'ExportObject', useSQLite: true } }, d1Databases: ['DB'], r2Buckets: ['BUCKET'] })
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await worker[Symbol.asyncDispose]()
})

interface Answer {
  readonly statuses: readonly ExportStatus[]
  readonly ticks?: number
  readonly transfers?: number
  readonly left?: number
}

async function objectBytes(key: string): Promise<Buffer> {
  const bucket = await worker.runtime.getR2Bucket('BUCKET')
  const object = await bucket.get(key)
  return Buffer.from(await object?.arrayBuffer() ?? new ArrayBuffer(0))
}

const HOSTILE = [
  'integer|9007199254740993', 'integer|-9223372036854775808', 'real|1.0', 'integer|1', 'real|Inf', 'real|-Inf', 'real|0.1', 'blob|X\'00FF\'', 'text|610062', 'text|0178', 'text|697427733B200A', 'null|NULL', 'text|',
]

describe.each(['object', 'd1'])('an export of a live database, in workerd (%s)', (place) => {
  let answer: Answer
  beforeAll(async () => {
    answer = JSON.parse(await worker.ask(`/${place}`)) as Answer // as the worker writes it
  })

  it('ends well, with another job on the same alarm, and leaves nothing in the database', () => {
    for (const status of answer.statuses) expect(status).toMatchObject({ status: 'completed', consistency: 'corrected', attempt: 1, totalRowsExported: 413 })
    if (place === 'object') expect(answer).toMatchObject({ ticks: 5, left: 0 })
  })

  it('has all of the money, and every value, through the shell of SQLite', async () => {
    const status = answer.statuses.find(({ format }) => format === 'sql')
    const copy = join(folder, `${place}.db`)
    execFileSync('sqlite3', ['-bail', copy], { input: await objectBytes(`${place}/${status?.key ?? ''}`) })
    const ask = (sql: string): string => execFileSync('sqlite3', [copy, sql], { encoding: 'utf8' }).trim()
    expect(ask('SELECT count(*), sum(balance), count(DISTINCT tag) FROM accounts')).toBe('400|40000|400')
    expect(ask(`SELECT typeof(x) || '|' || CASE typeof(x) WHEN 'text' THEN hex(x) WHEN 'real' THEN printf('%!g', x) ELSE quote(x) END FROM hostile`).split('\n')).toEqual(HOSTILE)
    expect(ask(`SELECT group_concat(name) FROM sqlite_schema`)).toContain('accounts_balance')
  })

  it('has the same in rows', async () => {
    const status = answer.statuses.find(({ format }) => format === 'ndjson')
    const bucket = await worker.runtime.getR2Bucket('BUCKET')
    const keys = (await bucket.list({ prefix: `${place}/${status?.exportId ?? ''}/rows/` })).objects.map(({ key }) => key)
    const texts = await Promise.all(keys.map(async (key) => gunzipSync(await objectBytes(key)).toString('utf8')))
    const rows = texts.join('').trim().split('\n').map((line) => JSON.parse(line) as { readonly balance?: number; readonly x?: unknown })
    const accounts = rows.filter(({ balance }) => balance !== undefined)
    expect([accounts.length, accounts.reduce((sum, { balance = 0 }) => sum + balance, 0)]).toEqual([400, 40_000])
    expect(rows.filter((row) => 'x' in row).map(({ x }) => x)).toEqual([
      { $integer: '9007199254740993' }, { $integer: '-9223372036854775808' }, 1, { $integer: '1' }, { $float: 'Infinity' }, { $float: '-Infinity' }, 0.1, { $bytes: 'AP8=' }, 'a\0b', '\u0001x', 'it\'s; \n', null, '',
    ])
  })
})
