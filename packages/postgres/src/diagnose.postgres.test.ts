import type { Finding, SourceConnection } from '@tidemark/core/adapter'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { postgresSource } from './postgres-source.ts'
import { useTestDatabase } from './test/test-database.ts'

const database = await useTestDatabase('diagnose')
let connection: SourceConnection

beforeAll(async () => {
  connection = await postgresSource({ url: database.url }).connect()
})
afterAll(() => connection[Symbol.asyncDispose]())

async function findings(name: string, tracking?: string): Promise<readonly Finding[]> {
  const table = await connection.describeTable({ schema: 'public', name })
  return await connection.diagnose?.({ table, tracking }) ?? []
}

const idsOf = (found: readonly Finding[]): string[] => found.map((finding) => finding.id)

/** Runs what the findings say, without waiting for nobody, as a test table has no other users. */
async function mend(found: readonly Finding[]): Promise<void> {
  for (const { sql } of found) if (sql !== undefined) await database.execute(sql.replace('CONCURRENTLY ', ''))
}

describe('diagnose', () => {
  it('mends a bad timestamp column by the SQL that it prints', async () => {
    await database.execute('CREATE TABLE "bad ""table" (id int PRIMARY KEY, "at$$" timestamptz(0))')
    const found = await findings('bad "table', 'at$$')
    expect(idsOf(found)).toEqual(['tracking-index-missing', 'tracking-precision-low', 'tracking-trigger-missing', 'tracking-nullable'])
    await mend(found)
    expect(await findings('bad "table', 'at$$')).toEqual([])
    await database.execute('INSERT INTO "bad ""table" (id) VALUES (1)')
    const [row] = await database.execute('SELECT "at$$" IS NOT NULL AS written FROM "bad ""table"')
    expect(row).toEqual({ written: true })
  })

  it('finds NULLs', async () => {
    await database.execute('CREATE TABLE with_nulls (id int PRIMARY KEY, v int); CREATE INDEX ON with_nulls (v, id); INSERT INTO with_nulls VALUES (1, NULL)')
    expect(idsOf(await findings('with_nulls', 'v'))).toEqual(['tracking-inserts-only', 'tracking-nulls'])
  })

  it.each([['bigint GENERATED ALWAYS AS IDENTITY (CACHE 50)'], ['bigserial']])('finds a sequence that hands out blocks: %s', async (type) => {
    await database.execute(`DROP TABLE IF EXISTS cached; CREATE TABLE cached (id ${type} PRIMARY KEY)`)
    if (type === 'bigserial') await database.execute('ALTER SEQUENCE cached_id_seq CACHE 50')
    const found = await findings('cached', 'id')
    expect(idsOf(found)).toEqual(['tracking-inserts-only', 'tracking-sequence-cached'])
    await mend(found)
    expect(idsOf(await findings('cached', 'id'))).toEqual(['tracking-inserts-only'])
  })

  it('finds a missing key and takes a partial or invalid index for none', async () => {
    await database.execute('CREATE TABLE keyless (v int NOT NULL); CREATE INDEX ON keyless (v) WHERE v > 0; CREATE INDEX ON keyless USING hash (v)')
    expect(idsOf(await findings('keyless', 'v'))).toEqual(['key-missing', 'tracking-index-missing', 'tracking-inserts-only'])
    expect(idsOf(await findings('keyless', 'nope'))).toEqual(['key-missing', 'tracking-column-missing'])
  })

  it('mends an index on a partitioned table', async () => {
    await database.execute('CREATE TABLE parted (id int PRIMARY KEY, v int NOT NULL) PARTITION BY HASH (id); CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)')
    const found = await findings('parted', 'v')
    expect(found.find(({ id }) => id === 'tracking-index-missing')?.sql).toBe('CREATE INDEX ON "public"."parted" ("v", "id")')
    await mend(found)
    expect(idsOf(await findings('parted', 'v'))).toEqual(['tracking-inserts-only'])
  })

  it('finds columns that may not be read', async () => {
    const role = `${database.name}_partial`
    await database.execute(`DROP ROLE IF EXISTS ${role}; CREATE ROLE ${role} LOGIN PASSWORD 'reader'; CREATE TABLE partly (id int PRIMARY KEY, hidden int); GRANT SELECT (id) ON partly TO ${role}`)
    const url = Object.assign(new URL(database.url), { username: role, password: 'reader' }).href
    const reader = await postgresSource({ url }).connect()
    try {
      const table = await reader.describeTable({ schema: 'public', name: 'partly' })
      const found = await reader.diagnose?.({ table, tracking: undefined }) ?? []
      expect(found).toEqual([expect.objectContaining({ id: 'select-missing', sql: `GRANT SELECT ON "public"."partly" TO "${role}"` })])
    } finally {
      await reader[Symbol.asyncDispose]()
      await database.execute(`DROP TABLE partly; DROP ROLE ${role}`)
    }
  })
})
