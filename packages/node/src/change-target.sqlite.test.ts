import { DatabaseSync } from 'node:sqlite'
import { ChangeStream, type ChangeBatch, type ChangeStreamOptions, type StateStore } from '@tidemark/core'
import { SqliteChangeTarget, type ChangeTargetTransaction, type SqliteDriver } from '@tidemark/sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { nodeSqliteChangeTarget } from './node-sqlite-change-target.ts'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { nodeSqliteStateStore } from './node-sqlite-state-store.ts'
import { sqliteChanges } from './sqlite-changes.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const opened: AsyncDisposable[] = []

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]()
})

function use<T extends AsyncDisposable>(resource: T): T {
  opened.push(resource)
  return resource
}

function run(file: string, sql: string): void {
  const database = new DatabaseSync(path(file), { timeout: 5_000 })
  database.exec(sql)
  database.close()
}

function rows(file: string, sql: string): readonly (readonly unknown[])[] {
  const database = new DatabaseSync(path(file), { readOnly: true })
  try {
    return database.prepare(sql).all().map((row) => Object.values(row))
  } finally {
    database.close()
  }
}

const SETUP = ['CREATE TABLE IF NOT EXISTS totals (n INTEGER, sum INTEGER)', 'INSERT INTO totals SELECT 0, 0 WHERE NOT EXISTS (SELECT 1 FROM totals)']

const setup = async (transaction: ChangeTargetTransaction): Promise<void> => {
  for (const sql of SETUP) await transaction.run(sql)
}

function target(): SqliteChangeTarget {
  return use(nodeSqliteChangeTarget({ path: path('totals.db'), id: 'counter', setup }))
}

/** Not idempotent: applied twice it shows. */
async function count(batch: Pick<ChangeBatch, 'events'>, transaction: ChangeTargetTransaction): Promise<void> {
  for (const event of batch.events) await transaction.run('UPDATE totals SET n = n + 1, sum = sum + ?', [event.after?.['id'] ?? null])
}

const totals = (): readonly unknown[] => rows('totals.db', 'SELECT n, sum FROM totals')[0] ?? []

function stream(options: Partial<ChangeStreamOptions> = {}): ChangeStream {
  return use(new ChangeStream({ source: sqliteChanges({ path: path('app.db') }, { tables: ['t'] }), retry: { attempts: 3, baseMs: 1, maxMs: 2 }, ...options }))
}

function createSource(): void {
  run('app.db', 'CREATE TABLE t (id INTEGER PRIMARY KEY)')
}

/** In one transaction. */
function insert(from: number, to: number): void {
  run('app.db', `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to}) INSERT INTO t SELECT i FROM n`)
}

/** Resolves when the rows up to `last` have been taken. */
function seeing(last: number): { readonly seen: Promise<void>; readonly look: (batch: Pick<ChangeBatch, 'events' | 'commit'>) => void } {
  let finish = (): void => undefined
  const seen = new Promise<void>((resolve) => { finish = resolve })
  return { seen, look: ({ events, commit }) => { if (commit && events.at(-1)?.key?.['id'] === last) finish() } }
}

/** Counts until the row `last` has been counted and committed. */
async function countUpTo(last: number, sink: SqliteChangeTarget, source = stream()): Promise<void> {
  const { seen, look } = seeing(last)
  const handle = sink.handler(count)
  const from = await sink.checkpoint()
  const subscription = await source.subscribe({ id: 'counter', from }, async (batch: ChangeBatch) => {
    await handle(batch)
    look(batch)
  })
  if (from === null) insert(1, last)
  await Promise.race([seen, subscription.done])
  await source.stop()
}

describe('a change target', () => {
  it('keeps the checkpoint with the rows: the next subscriber goes on exactly behind them', async () => {
    createSource()
    await countUpTo(10, target())
    insert(11, 15)
    await countUpTo(15, target())
    expect(totals()).toEqual([15, 120])
  })

  it('counts what is committed before the first change has come', async () => {
    createSource()
    const first = target()
    const source = stream()
    const handle = first.handler(count)
    await new Promise<void>((resolve, reject) => {
      first.checkpoint().then((from) => source.subscribe({ id: 'counter', from }, async (batch: ChangeBatch) => {
        await handle(batch)
        resolve()
      })).catch(reject)
    })
    await source.stop()
    insert(1, 3)
    await countUpTo(3, target())
    expect(totals()).toEqual([3, 6])
  })

  it('takes back what a handler wrote before it failed', async () => {
    createSource()
    const sink = target()
    const source = stream()
    const { seen, look } = seeing(4)
    let failures = 2
    const handle = sink.handler(async (batch, transaction) => {
      await count(batch, transaction)
      if (batch.events.length > 0 && failures-- > 0) throw new Error('after writing')
      look(batch)
    })
    await source.subscribe({ id: 'counter', from: await sink.checkpoint() }, handle)
    insert(1, 4)
    await seen
    await sink.checkpoint()
    expect(totals()).toEqual([4, 10])
  })

  it('gives booleans as 0 and 1, and takes no statement once the handler has returned', async () => {
    createSource()
    const sink = target()
    const source = stream()
    let kept: ChangeTargetTransaction | undefined
    await new Promise<void>((resolve, reject) => {
      sink.checkpoint().then((from) => source.subscribe({ id: 'counter', from }, sink.handler(async (_batch, transaction) => {
        expect(await transaction.query('SELECT ?, typeof(?)', [true, 'text'])).toEqual([[1, 'text']])
        kept = transaction
        resolve()
      }))).catch(reject)
    })
    await sink.checkpoint()
    await expect(kept?.run('UPDATE totals SET n = 99')).rejects.toMatchObject({ code: 'CLOSED' })
    expect(totals()).toEqual([0, 0])
  })
})

describe('a transaction in several parts', () => {
  const parts = (options: Partial<ChangeStreamOptions> = {}): ChangeStream => stream({ batch: { events: 2 }, ...options })

  it('is one in the target: nothing is seen before its end, and a part that fails comes again alone', async () => {
    createSource()
    const sink = target()
    const source = parts()
    const { seen, look } = seeing(9)
    const sizes: number[] = []
    let hasFailed = false
    const handle = sink.handler(async (batch, transaction) => {
      if (batch.events.length === 0) return
      expect(totals()).toEqual([0, 0])
      await count(batch, transaction)
      if (sizes.length === 2 && !hasFailed) {
        hasFailed = true
        throw new Error('in the middle')
      }
      sizes.push(batch.events.length)
    })
    await source.subscribe({ id: 'counter', from: await sink.checkpoint() }, async (batch: ChangeBatch) => {
      await handle(batch)
      look(batch)
    })
    insert(1, 9)
    await seen
    expect([hasFailed, sizes]).toEqual([true, [2, 2, 2, 2, 1]])
    expect(totals()).toEqual([9, 45])
  })

  it.each(['the stream stops', 'the target is closed', 'another subscription begins'] as const)('is rolled back when %s, and comes again as a whole', async (what) => {
    createSource()
    const sink = target()
    const source = parts()
    let written = 0
    let reach = (): void => undefined
    const reached = new Promise<void>((resolve) => { reach = resolve })
    let goOn = (): void => undefined
    const gate = new Promise<void>((resolve) => { goOn = resolve })
    const handle = sink.handler(async (batch, transaction) => {
      await count(batch, transaction)
      written += batch.events.length
    })
    const subscription = await source.subscribe({ id: 'counter', from: await sink.checkpoint() }, async (batch: ChangeBatch) => {
      await handle(batch)
      if (written < 4) return
      reach()
      await gate
    })
    insert(1, 9)
    await reached
    if (what === 'the target is closed') await sink[Symbol.asyncDispose]()
    if (what === 'another subscription begins') await sink.checkpoint()
    const stopped = subscription.unsubscribe()
    goOn()
    await stopped
    await source.stop()
    // The write lock is free again.
    run('totals.db', 'UPDATE totals SET sum = sum')
    expect(totals()).toEqual([0, 0])
    await countUpTo(9, what === 'the target is closed' ? target() : sink, parts())
    expect(totals()).toEqual([9, 45])
  })

  it('has its dead parts stored with the rest, in the same transaction', async () => {
    createSource()
    const sink = use(nodeSqliteChangeTarget({
      path: path('totals.db'), id: 'counter',
      setup: async (transaction) => {
        await setup(transaction)
        await transaction.run('CREATE TABLE IF NOT EXISTS dead (n INTEGER, code TEXT)')
      },
    }))
    const source = parts()
    const { seen, look } = seeing(9)
    const handle = sink.handler(async (batch, transaction) => {
      if (batch.events.some((event) => event.key?.['id'] === 9)) throw new Error('poison')
      await count(batch, transaction)
    })
    const bury = sink.handler(async (batch: ChangeBatch, transaction, error: { readonly code: string }) => {
      await transaction.run('INSERT INTO dead VALUES (?, ?)', [batch.events.length, error.code])
    })
    await source.subscribe({
      id: 'counter', from: await sink.checkpoint(), onError: 'dead-letter',
      deadLetter: async (batch, error) => {
        await bury(batch, error)
        look(batch)
      },
    }, handle)
    insert(1, 9)
    await seen
    expect([totals(), rows('totals.db', 'SELECT * FROM dead')]).toEqual([[8, 36], [[1, 'HANDLER_FAILED']]])
    expect(rows('totals.db', 'SELECT value FROM tidemark_state')).toEqual([[await sink.checkpoint()]])
  })

  it('is refused when its end was given to somebody else: the rest must not be lost in silence', async () => {
    createSource()
    const sink = target()
    const source = parts()
    const handle = sink.handler(async (batch, transaction) => {
      if (batch.events.some((event) => event.key?.['id'] === 3)) throw new Error('poison')
      await count(batch, transaction)
    })
    let refused = (_error: unknown): void => undefined
    const refusal = new Promise((resolve) => { refused = resolve })
    await source.subscribe({
      id: 'counter', from: await sink.checkpoint(), onError: 'dead-letter',
      deadLetter: (batch, error) => {
        if (batch.events.at(-1)?.key?.['id'] === 3) insert(4, 4)
        else refused(error.cause)
      },
    }, handle)
    insert(1, 3)
    expect(await refusal).toMatchObject({ code: 'STATE_CONFLICT' })
    await source.stop()
    expect(totals()).toEqual([0, 0])
  })
})

/** A driver whose first commit of a batch is made, and its answer lost. */
function losingOne(driver: SqliteDriver, isLost: () => boolean): SqliteDriver {
  return {
    query: (sql, parameters) => driver.query(sql, parameters),
    view: (queries, options) => driver.view(queries, options),
    execute: (sql) => driver.execute(sql),
    transaction: async (work) => {
      const result = await driver.transaction(work)
      if (isLost()) throw new Error('The answer was lost.')
      return result
    },
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  }
}

describe('a batch that comes again', () => {
  it.each([2, 100])('after a commit whose answer was lost is recognised, in parts of %i', async (events) => {
    createSource()
    let isLosing = false
    const lost = (): boolean => {
      const was = isLosing && totals()[0] === 5
      if (was) isLosing = false
      return was
    }
    const sink = use(new SqliteChangeTarget({
      id: 'counter', setup,
      open: () => Promise.resolve(losingOne(new NodeSqliteDriver({ path: path('totals.db'), busyTimeoutMs: 5_000 }), lost)),
    }))
    isLosing = true
    await countUpTo(5, sink, stream({ batch: { events } }))
    expect([isLosing, totals()]).toEqual([false, [5, 15]])
  })
})

describe('what is refused', () => {
  it('a subscriber whose target was not asked where to go on', async () => {
    createSource()
    const store: StateStore & AsyncDisposable = use(nodeSqliteStateStore({ path: path('state.db') }))
    const source = stream({ checkpoints: store, retry: { attempts: 1 } })
    const subscription = await source.subscribe({ id: 'counter' }, target().handler(count))
    insert(1, 1)
    await expect(subscription.done).rejects.toMatchObject({ code: 'HANDLER_FAILED', cause: expect.any(TypeError) })
  })

  it('a second process with the same id: what it was given is not written', async () => {
    createSource()
    let calls = 0
    const late = target()
    const lateFrom = await late.checkpoint()
    await countUpTo(3, target())
    const source = stream({ name: 'late', retry: { attempts: 1 } })
    const subscription = await source.subscribe({ id: 'late', from: lateFrom, snapshot: 'initial' }, late.handler(() => { calls += 1 }))
    await expect(subscription.done).rejects.toMatchObject({ code: 'HANDLER_FAILED', cause: expect.objectContaining({ code: 'STATE_CONFLICT' }) })
    expect([calls, totals()]).toEqual([0, [3, 6]])
  })

  it('an empty id and a prefix that is no name', () => {
    expect(() => nodeSqliteChangeTarget({ path: 'x', id: '' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    expect(() => nodeSqliteChangeTarget({ path: 'x', id: 'a', tablePrefix: 'a b' })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('a closed target, and a file that can not be opened, by code', async () => {
    const sink = nodeSqliteChangeTarget({ path: path('totals.db'), id: 'counter' })
    await sink[Symbol.asyncDispose]()
    await expect(sink.checkpoint()).rejects.toMatchObject({ code: 'CLOSED' })
    await expect(use(nodeSqliteChangeTarget({ path: path('missing/x.db'), id: 'a' })).checkpoint()).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  })
})

