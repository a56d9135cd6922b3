import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { availablePostgresVersions, startPostgres, type ServerInfo, type TestServer } from './index.ts'
import { crashParent } from './test/crash-parent.ts'
import { postgresForTests } from './vitest/for-tests.ts'

/** The folder of an instance is the parent of what the server calls its data directory. */
async function instanceFolder(info: ServerInfo): Promise<string> {
  const [row] = await query(info.superuserBaseUrl, 'show data_directory')
  return dirname(String(row?.['data_directory']))
}

async function query(url: string, text: string): Promise<readonly postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  try {
    return await sql.unsafe(text)
  } finally {
    await sql.end()
  }
}

const versions = await availablePostgresVersions()

test('some version can be had without Docker', () => {
  expect(versions).not.toEqual([])
})

describe.each(versions)('PostgreSQL %s', (version) => {
  let server: TestServer

  beforeAll(async () => {
    server = await startPostgres({ version, restartable: true, origins: ['machine', 'npm'] })
  })

  afterAll(async () => await server[Symbol.asyncDispose]())

  test('answers with the version it was asked for', async () => {
    const rows = await query(server.url(), 'show server_version')
    expect(rows[0]?.['server_version']).toContain(server.version)
    expect(server.major).toBe(Number(version))
  })

  test('its user decodes the log and is no superuser', async () => {
    await using database = await server.createDatabase()
    await query(database.url, 'create table item (id int primary key)')
    await query(database.url, 'create publication item_changes for table item')
    await query(database.url, `select pg_create_logical_replication_slot('item_${version}', 'pgoutput')`)
    await query(database.url, 'insert into item values (1)')
    const changes = await query(
      database.url,
      `select data from pg_logical_slot_peek_binary_changes('item_${version}', null, null, 'proto_version', '1', 'publication_names', 'item_changes')`,
    )
    // Begin, relation, insert, commit.
    expect(changes.map(({ data }) => String.fromCharCode(data[0]))).toEqual(['B', 'R', 'I', 'C'])
    const [role] = await query(database.url, 'select rolsuper from pg_roles where rolname = current_user')
    expect(role?.['rolsuper']).toBe(false)
  })

  test.each(['graceful', 'kill'] as const)('a restart (%s) keeps committed data, the address and the users', async (mode) => {
    await using database = await server.createDatabase()
    await query(database.url, 'create table kept as select 42 as answer')
    await server.restart(mode)
    const [row] = await query(database.url, 'select answer from kept')
    expect(row?.['answer']).toBe(42)
  })
})

test('disposing ends every process and removes the folder', async () => {
  const server = await startPostgres({ restartable: true, origins: ['machine', 'npm'] })
  const folder = await instanceFolder(server.info)
  expect(existsSync(folder)).toBe(true)
  await server[Symbol.asyncDispose]()
  expect(existsSync(folder)).toBe(false)
  await expect(query(server.superuserUrl(), 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('a killed parent leaves neither a server nor a folder behind', async () => {
  await crashParent('postgres', instanceFolder)
})

describe('a server from the environment', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('is used, is not stopped, and is passed over when it does not fit', async () => {
    const shared = await postgresForTests()
    vi.stubEnv('TIDEMARK_TEST_POSTGRES_URL', shared.superuserUrl())
    const server = await startPostgres()
    expect(server).toMatchObject({ origin: 'environment', version: shared.version, port: shared.port })
    await expect(server.stop('fast')).rejects.toThrow('not ours to stop')
    await server[Symbol.asyncDispose]()
    expect(await query(shared.url(), 'select 1 as one')).toHaveLength(1)
    const other = versions.find((version) => Number(version) !== shared.major)
    await expect(startPostgres({ version: other, origins: ['environment'] })).rejects.toThrow(`its server is ${shared.version}`)
  })
})

test('servers that start at the same time get ports and folders of their own', async () => {
  const servers = await Promise.all(Array.from({ length: 3 }, () => startPostgres({ restartable: true, origins: ['machine', 'npm'] })))
  expect(new Set(servers.map(({ port }) => port)).size).toBe(3)
  await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
})

test('a database is dropped under the feet of its sessions and slots', async () => {
  const server = await postgresForTests()
  const database = await server.createDatabase()
  await query(database.url, `select pg_create_logical_replication_slot('${database.name}', 'pgoutput')`)
  const session = postgres(database.url, { max: 1, onnotice: () => {} })
  await session`select 1`
  await database[Symbol.asyncDispose]()
  const left = await query(server.superuserUrl(), `select slot_name from pg_replication_slots where database = '${database.name}'`)
  expect(left).toHaveLength(0)
  await expect(query(database.url, 'select 1')).rejects.toMatchObject({ code: '3D000' })
  await session.end({ timeout: 1 }).catch(() => {})
})

test('the shared server is one and the same for every caller', async () => {
  const [first, second] = await Promise.all([postgresForTests(), postgresForTests()])
  expect(first.url()).toBe(second.url())
})
