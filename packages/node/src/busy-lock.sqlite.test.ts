import { DatabaseSync } from 'node:sqlite'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { NodeSqliteDriver } from './node-sqlite-driver.ts'
import { useFolder } from './test/use-folder.ts'

const path = useFolder()
const opened: NodeSqliteDriver[] = []

afterEach(async () => {
  for (const driver of opened.splice(0)) await driver[Symbol.asyncDispose]()
})

function open(busyTimeoutMs = 60_000): NodeSqliteDriver {
  const driver = new NodeSqliteDriver({ path: path('app.db'), busyTimeoutMs })
  opened.push(driver)
  return driver
}

describe('a lock of another connection of the same thread', () => {
  it('is waited for while the thread goes on, and the connection that has it', async () => {
    const [first, second] = [open(), open()]
    await first.execute('CREATE TABLE t (v)')
    const done: string[] = []
    const one = first.transaction(async (transaction) => {
      await transaction.run('INSERT INTO t VALUES (1)')
      await setTimeout(20)
      done.push('first')
    })
    const two = second.transaction(async (transaction) => {
      await transaction.run('INSERT INTO t VALUES (2)')
      done.push('second')
    })
    await setImmediate()
    done.push('thread')
    await Promise.all([one, two])
    expect(done).toEqual(['thread', 'first', 'second'])
    expect(await first.query('SELECT v FROM t')).toEqual([[1], [2]])
  })

  it('of the application is waited for too, and not beyond the time', async () => {
    const driver = open(30)
    await driver.execute('CREATE TABLE t (v)')
    using application = new DatabaseSync(path('app.db'))
    application.exec('BEGIN IMMEDIATE')
    await expect(driver.transaction((transaction) => transaction.run('INSERT INTO t VALUES (1)'))).rejects.toMatchObject({ code: 'TARGET_BUSY' })
    application.exec('COMMIT')
    await driver.transaction((transaction) => transaction.run('INSERT INTO t VALUES (1)'))
  })

  it('is waited for at a commit where the file has no write-ahead log', async () => {
    using application = new DatabaseSync(path('app.db'))
    application.exec('PRAGMA journal_mode = DELETE; CREATE TABLE t (v); INSERT INTO t VALUES (0)')
    const driver = new NodeSqliteDriver({ path: path('app.db'), busyTimeoutMs: 60_000, isForeign: true })
    opened.push(driver)
    const rows = application.prepare('SELECT v FROM t').iterate()
    rows.next()
    const written = driver.transaction((transaction) => transaction.run('INSERT INTO t VALUES (1)'))
    await setTimeout(20)
    rows.return?.()
    await written
    expect(await driver.query('SELECT count(*) FROM t')).toEqual([[2]])
  })
})
