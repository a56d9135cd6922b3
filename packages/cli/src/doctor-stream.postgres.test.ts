import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@tidemark/test-servers'
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { spawnCli, type Finished } from './test/spawn-cli.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('doctor')
const role = `least_${process.pid}`
await database.execute(`CREATE TABLE users (id int4 PRIMARY KEY, name text); CREATE TABLE keyless (note text); CREATE ROLE ${role}_none LOGIN PASSWORD 'x'`)
afterAll(() => database.execute(`DROP PUBLICATION IF EXISTS ${role}; DROP OWNED BY ${role}; DROP ROLE IF EXISTS ${role}; DROP ROLE ${role}_none`))

const as = (user: string): string => Object.assign(new URL(database.url), { username: user, password: 'x' }).href
const cli = (...args: string[]): Promise<Finished> => spawnCli(args).finished
const ids = ({ lines }: Finished): readonly unknown[] => lines.filter(({ type }) => type === 'finding').map(({ id }) => id)

test('doctor of a stream finds what stands in the way, with SQL that mends it, and makes nothing', async () => {
  await database.execute(`SELECT pg_create_logical_replication_slot('idle_${process.pid}', 'test_decoding')`)
  const end = await cli('doctor', as(`${role}_none`), '--table', 'users', '--table', 'keyless', '--table', 'absent', '--slot', `idle_${process.pid}`, '--json')
  await database.execute(`SELECT pg_drop_replication_slot('idle_${process.pid}')`)
  expect([end.code, ids(end)]).toEqual([1, ['replication-missing', 'slots-unbounded', 'slot-foreign', 'slot-idle', 'table-unreadable', 'table-unreadable', 'table-unreadable', 'publication-missing']])
  const fine = await cli('doctor', database.url, '--table', 'users', '--slot', 'none', '--json')
  expect([fine.code, ids(fine)]).toEqual([0, ['slots-unbounded']])
  const owned = await cli('doctor', database.url, '--table', 'keyless', '--slot', 'none', '--json')
  expect([owned.code, ids(owned), owned.lines.find(({ id }) => id === 'table-identity')?.['sql']]).toEqual([1, ['slots-unbounded', 'table-identity'], 'ALTER TABLE "public"."keyless" REPLICA IDENTITY FULL'])
  expect(await database.execute('SELECT 1 FROM pg_publication')).toEqual([])
})

test('a server without a free slot is told of, and refused before anything is made', async () => {
  await using server = await startPostgres({ restartable: true })
  const admin = postgres(server.superuserUrl(), { max: 1 })
  await admin`CREATE TABLE users (id int4 PRIMARY KEY)`
  await admin`SELECT pg_create_physical_replication_slot('taken_' || i) FROM generate_series(1, current_setting('max_replication_slots')::int) i`
  expect(ids(await cli('doctor', server.superuserUrl(), '--slot', 'mine', '--json'))).toEqual(['slots-unbounded', 'slots-exhausted'])
  expect(await cli('tail', server.superuserUrl(), '--table', 'users', '--slot', 'mine')).toMatchObject({ code: 1, stderr: expect.stringMatching(/LOG_UNAVAILABLE[\s\S]*raise max_replication_slots/) })
  expect([...await admin`SELECT 1 FROM pg_publication`]).toEqual([])
  await admin.end()
})

test('what grants prints lets a user read, export and stream', async () => {
  const { stdout } = await cli('grants', database.url, '--table', 'users', '--role', role)
  await database.execute(stdout)
  await database.execute(`ALTER ROLE ${role} PASSWORD 'x'; INSERT INTO users VALUES (1, 'x')`)
  expect(await cli('plan', '--from', as(role), '--table', 'users')).toMatchObject({ code: 0 })
  const end = await cli('tail', as(role), '--table', 'users', '--publication', role, '--snapshot', '--until-idle')
  expect([end.code, end.lines.length]).toEqual([0, 1])
  expect(ids(await cli('doctor', as(role), '--table', 'users', '--publication', role, '--json'))).toEqual(['slots-unbounded'])
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-grants-'))
  expect(await cli('export', as(role), '--to', folder, '--table', 'users')).toMatchObject({ code: 0 })
  rmSync(folder, { recursive: true })
})
