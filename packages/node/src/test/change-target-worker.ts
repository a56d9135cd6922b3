import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { SqliteChangeTarget, type SqliteDriver, type SqliteTransaction } from '@tidemark/sqlite'
import { NodeSqliteDriver } from '../node-sqlite-driver.ts'
import { sqliteChanges } from '../sqlite-changes.ts'

/** A process that counts rows until it has counted the last one, or has its place where `last` is 0; it kills itself before its `killAt`-th step. */
const [source = '', path = '', last = '', killAt = ''] = process.argv.slice(2)

let steps = 0
let isArmed = false

function step(): void {
  if (!isArmed) return
  steps += 1
  if (steps === Number(killAt)) process.kill(process.pid, 'SIGKILL')
}

function stepping(transaction: SqliteTransaction): SqliteTransaction {
  return {
    query: (sql, parameters) => {
      step()
      return transaction.query(sql, parameters)
    },
    run: (sql, parameters) => {
      step()
      return transaction.run(sql, parameters)
    },
  }
}

function steppingDriver(driver: SqliteDriver): SqliteDriver {
  return {
    query: (sql, parameters) => driver.query(sql, parameters),
    view: (queries, options) => driver.view(queries, options),
    execute: (sql) => driver.execute(sql),
    transaction: async (work) => {
      step()
      const result = await driver.transaction(async (transaction) => {
        const before = await work(stepping(transaction))
        step()
        return before
      })
      step()
      return result
    },
    [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
  }
}

const target = new SqliteChangeTarget({
  id: 'counter',
  setup: (transaction) => transaction.run('CREATE TABLE IF NOT EXISTS counts (id INTEGER PRIMARY KEY, n INTEGER)'),
  open: () => Promise.resolve(steppingDriver(new NodeSqliteDriver({ path, busyTimeoutMs: 5_000 }))),
})
const from = await target.checkpoint()
isArmed = true
// The same instance each time: what a killed process held is taken back at once.
const stream = new ChangeStream({ source: sqliteChanges({ path: source }, { tables: ['t'] }), instance: 'counter', batch: { events: 2 } })
const count = target.handler(async (batch: ChangeBatch, transaction) => {
  for (const { key } of batch.events) {
    await transaction.run('INSERT INTO counts VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1', [key?.['id'] ?? null])
  }
})
await new Promise<void>((resolve, reject) => {
  const subscribed = stream.subscribe({ id: 'counter', from }, async (batch: ChangeBatch) => {
    await count(batch)
    step()
    if (last === '0' || batch.events.some(({ key }) => key?.['id'] === Number(last))) resolve()
  })
  subscribed.then(({ done }) => done).then(resolve, reject)
})
await stream.stop()
await target[Symbol.asyncDispose]()
