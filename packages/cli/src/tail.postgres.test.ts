import { describe, expect, test } from 'vitest'
import { spawnCli, type Finished, type Line } from './test/spawn-cli.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('tail')
await database.execute('CREATE TABLE users (id int4 PRIMARY KEY, name text); CREATE TABLE orders (id int4 PRIMARY KEY)')

const tail = (...args: string[]): Promise<Finished> => spawnCli(['tail', database.url, ...args]).finished

/** `insert 1`, by op and key. */
function brief(lines: readonly Line[]): readonly string[] {
  return lines.map(({ op, key }) => `${String(op)} ${String((key as Line)['id'])}`) // a key is an object
}

/** Slots and publications of the server, by name. A process of the server ends a moment after its connection. */
async function left(): Promise<readonly unknown[]> {
  for (;;) {
    const rows = await database.execute('SELECT slot_name AS name, active FROM pg_replication_slots WHERE database = current_database() UNION ALL SELECT pubname, false FROM pg_publication')
    if (rows.every(({ active }) => active === false)) return rows.map(({ name }) => name)
  }
}

describe('tail of PostgreSQL', () => {
  test('prints what others commit, and leaves nothing at the server', async () => {
    const cli = spawnCli(['tail', 'env:APP', '--table', 'public.users', '--table', 'orders'], { APP: database.url })
    await cli.said('Following public.users, orders. Nothing is kept')
    await database.execute(`BEGIN; INSERT INTO users VALUES (1, 'Ada'); UPDATE users SET name = 'Grace'; INSERT INTO orders VALUES (1); COMMIT`)
    expect(await cli.seen(({ op }) => op === 'update')).toMatchObject({ table: 'users', schema: 'public', key: { id: 1 }, after: { id: 1, name: 'Grace' } })
    await cli.seen(({ table }) => table === 'orders')
    cli.process.kill('SIGINT')
    const end = await cli.finished
    expect([end.code, brief(end.lines)]).toEqual([130, ['insert 1', 'update 1', 'insert 1']])
    expect(await left()).toEqual([])
  })

  test('killed, it leaves no slot', async () => {
    const cli = spawnCli(['tail', database.url, '--table', 'users'])
    await cli.said('Following ')
    cli.process.kill('SIGKILL')
    await cli.finished
    expect((await left()).length).toBe(1)
    const [row] = await database.execute(`SELECT pubname AS name FROM pg_publication`)
    expect(row?.['name']).toMatch(/^tidemark_tail_/)
    await database.execute(`DROP PUBLICATION ${String(row?.['name'])}`)
  })

  test('--snapshot --until-idle prints the rows that are there', async () => {
    await database.execute('TRUNCATE users; INSERT INTO users SELECT i, null FROM generate_series(1, 3) i')
    const end = await tail('--table', 'users', '--snapshot', '--until-idle', '--json')
    expect([end.code, brief(end.lines), end.stderr]).toEqual([0, ['snapshot 1', 'snapshot 2', 'snapshot 3'], ''])
    expect(await left()).toEqual([])
  })

  test('--slot keeps what is written while it is away, until it is dropped', async () => {
    expect((await tail('--table', 'users', '--slot', 'mine', '--until-idle')).code).toBe(0)
    await database.execute(`INSERT INTO users VALUES (10, 'while away')`)
    const next = await tail('--table', 'users', '--slot', 'mine', '--until-idle')
    expect([next.code, brief(next.lines)]).toEqual([0, ['insert 10']])
    expect(next.stderr).toContain('--uninstall --slot mine drops it')
    await database.execute(`DELETE FROM users WHERE id = 10`)
    expect(brief((await tail('--table', 'users', '--slot', 'mine', '--snapshot', '--until-idle')).lines)).toEqual(['delete 10'])
    expect(await left()).toEqual(['tidemark_tail_mine', 'tidemark_tail_mine'])
    expect(await tail('--uninstall', '--slot', 'mine')).toMatchObject({ code: 0, stderr: 'Dropped the slot tidemark_tail_mine, and its publication.\n' })
    expect(await left()).toEqual([])
    expect(await tail('--uninstall', '--slot', 'mine')).toMatchObject({ code: 0, stderr: 'There is no slot tidemark_tail_mine.\n' })
  })

  test('what a tail that was killed has left goes with a later one, and nothing else', async () => {
    const name = (ageMs: number): string => `tidemark_tail_${(Date.now() - ageMs).toString(36)}_0123abcd`
    const [old, fresh] = [name(7_200_000), name(60_000)]
    for (const slot of [old, fresh]) await database.execute(`CREATE PUBLICATION ${slot} FOR TABLE users; COMMENT ON PUBLICATION ${slot} IS 'managed by tidemark for slot ${slot}'`)
    await database.execute(`CREATE PUBLICATION ${old}x FOR TABLE users`)
    expect(await tail('--table', 'users', '--until-idle')).toMatchObject({ code: 0 })
    expect((await left()).toSorted()).toEqual([`${old}x`, fresh].toSorted())
    await database.execute(`DROP PUBLICATION ${fresh}; DROP PUBLICATION ${old}x`)
  })

  test('a slot of another can not be named, and is not moved', async () => {
    await database.execute(`SELECT pg_create_logical_replication_slot('app_${process.pid}', 'pgoutput')`)
    const before = await database.execute(`SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = 'app_${process.pid}'`)
    await database.execute(`INSERT INTO users VALUES (20, 'x')`)
    expect((await tail('--table', 'users', '--slot', `app_${process.pid}`, '--until-idle')).lines).toEqual([])
    expect(await tail('--uninstall', '--slot', `app_${process.pid}`)).toMatchObject({ code: 0 })
    expect(await database.execute(`SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = 'app_${process.pid}'`)).toEqual(before)
    await database.execute(`SELECT pg_drop_replication_slot('app_${process.pid}')`)
  })

  test('wrong options are all named, before anything is opened', async () => {
    const end = await tail('--table', 'users', '--id', 'x', '--from-start', '--log', 'y', '--slot', 'Not-OK')
    expect(end.code).toBe(2)
    for (const option of ['--id', '--from-start', '--log', '--slot']) expect(end.stderr).toContain(option)
    const sqlite = await spawnCli(['tail', 'app.db', '--table', 'users', '--slot', 'x', '--tls', 'verify']).finished
    expect([sqlite.code, sqlite.stderr]).toEqual([2, expect.stringMatching(/--slot[\s\S]*--tls/)])
    expect(await spawnCli(['tail', 'env:APP', '--table', 'users'], { APP: 'mysql://u@localhost/x' }).finished).toMatchObject({ code: 2, stderr: expect.stringContaining('MySQL') })
    expect(await spawnCli(['tail', database.url, '--uninstall']).finished).toMatchObject({ code: 2, stderr: expect.stringContaining('--slot') })
  })

  test('a table that is not there is told, and nothing is made', async () => {
    expect(await tail('--table', 'absent')).toMatchObject({ code: 1, stderr: expect.stringContaining('TABLE_UNKNOWN') })
    expect(await left()).toEqual([])
  })
})
