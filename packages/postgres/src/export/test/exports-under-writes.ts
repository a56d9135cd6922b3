import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Exporter } from '@tidemark/core'
import { FakeRuntime, memoryStateStore } from '@tidemark/core/testing'
import { fsStorage } from '@tidemark/node'
import { expect } from 'vitest'
import { postgresSource } from '../../postgres-source.ts'
import type { useTestDatabase } from '../../test/test-database.ts'
import { loadWithPsql } from './dump.ts'

type Database = Awaited<ReturnType<typeof useTestDatabase>>

export interface UnderWrites {
  readonly database: Database
  readonly copy: Database
  readonly rounds: number
  readonly seed: number
}

const ACCOUNTS = 5_000

/** As much as passes through several ranges, and through memory that is used again. */
const BIG = 'SELECT count(*)::int AS rows, sum(hashtextextended(t, id))::text AS hash FROM big'

/** A bank, and `big` rows of 640 bytes. */
export async function makeBank(database: Database, big: number): Promise<void> {
  await database.execute(`CREATE TABLE accounts (id int PRIMARY KEY, tag text UNIQUE, balance int NOT NULL); INSERT INTO accounts SELECT g, 'tag ' || g, 100 FROM generate_series(1, ${ACCOUNTS}) g;
    CREATE TABLE big (id int PRIMARY KEY, t text); INSERT INTO big SELECT g, repeat(md5(g::text), 20) FROM generate_series(1, ${big}) g`)
}

/** Exports the bank again and again, slice by slice, while money moves: each dump has every account and all of the money. */
export async function exportsUnderWrites({ database, copy, rounds, seed }: UnderWrites): Promise<void> {
  const runtime = new FakeRuntime({ seed })
  for (let round = 0; round < rounds; round += 1) {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-pg-'))
    await copy.execute('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await loadWithPsql(copy.url, await exportWhile(folder, { database, write: () => transfer(database, () => runtime.random()), random: () => runtime.random() }))
    expect(await copy.execute('SELECT count(*)::int AS rows, sum(balance)::int AS money, count(DISTINCT tag)::int AS tags FROM accounts')).toEqual([{ rows: ACCOUNTS, money: ACCOUNTS * 100, tags: ACCOUNTS }])
    expect(await copy.execute(BIG)).toEqual(await database.execute(BIG))
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Writes {
  readonly database: Database
  readonly write: () => Promise<void>
  readonly random: () => number
}

/** Gives the path of the dump. */
async function exportWhile(folder: string, { database, write, random }: Writes): Promise<string> {
  await using exporter = new Exporter({ source: postgresSource({ url: database.url }), storage: fsStorage(folder), state: memoryStateStore() })
  const { id } = await exporter.start({ fileName: 'dump', tables: ['accounts', 'big'], partBytes: 2_000_000, budget: { bytes: 1 } })
  let status = await exporter.status(id)
  for (let isDone = false; !isDone;) {
    const step = await exporter.step(id)
    isDone = step.done
    status = step.status
    for (let count = Math.floor(random() * 20); count > 0; count -= 1) await write()
  }
  expect(status).toMatchObject({ status: 'completed', attempt: 1, cut: expect.stringMatching(/^[\dA-F]+\/[\dA-F]+$/) })
  const file = join(folder, 'dump.sql')
  const pieces: Uint8Array[] = []
  await using body = (await exporter.download(id)).body
  for await (const piece of body) pieces.push(piece)
  writeFileSync(file, Buffer.concat(pieces))
  return file
}

/** Money moves between accounts, a tag goes from one to another, and an account makes room for another by its number. */
async function transfer(database: Database, random: () => number): Promise<void> {
  const [from, to] = [1 + Math.floor(random() * ACCOUNTS), 1 + Math.floor(random() * ACCOUNTS)]
  await database.execute(`DO $$ BEGIN UPDATE accounts SET balance = balance - 5 WHERE id = ${from}; UPDATE accounts SET balance = balance + 5 WHERE id = ${to};
    UPDATE accounts SET tag = 'moving' WHERE id = ${from}; UPDATE accounts SET tag = tag || '.' WHERE id = ${to}; UPDATE accounts SET tag = 'tag ' || ${from} || '.' WHERE id = ${from}; END $$`)
}
