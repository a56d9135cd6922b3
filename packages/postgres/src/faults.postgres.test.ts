import type { Cursor, SourceConnection } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { postgresSource } from './postgres-source.ts'
import { readStream } from './test/read-stream.ts'
import { startProxy, type ProxyBehaviour } from './test/proxy.ts'
import { useTestDatabase } from './test/test-database.ts'

const ROWS = 4000
const database = await useTestDatabase('faults')

/** mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Resets each connection after a random number of bytes and sends what comes before in random fragments. */
function cutting(next: () => number, maxBytes: number): ProxyBehaviour {
  return (client, toServer) => {
    const server = toServer()
    let left = Math.floor(next() * maxBytes)
    client.pipe(server)
    server.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length && !client.destroyed;) {
        const size = Math.min(1 + Math.floor(next() * 2000), bytes.length - at, left)
        client.write(bytes.subarray(at, at + size))
        at += size
        left -= size
        if (left <= 0) client.resetAndDestroy()
      }
    })
  }
}

describe.each([1, 2, 3, 4])('with connections cut at random, seed %i', (seed) => {
  it('reads every row once by pages, and every error has a code', async () => {
    await database.execute(`CREATE TABLE IF NOT EXISTS faulty AS SELECT i AS id, repeat('v', 50) || i AS v FROM generate_series(1, ${ROWS}) i; ALTER TABLE faulty ALTER id SET NOT NULL`)
    await using direct = await postgresSource({ url: database.url }).connect()
    const table = await direct.describeTable({ schema: 'public', name: 'faulty' })
    await using proxy = await startProxy(cutting(random(seed), 60_000))
    const source = postgresSource({ url: proxy.url(database.url), queryTimeoutMs: 5000 })
    const seen: unknown[] = []
    const codes = new Set<string>()
    let connection: SourceConnection | undefined
    for (let after: Cursor | undefined, done = false; !done;) {
      try {
        connection ??= await source.connect()
        const page = await connection.readRows({ table, columns: table.columns, key: ['id'], limit: 100, after })
        seen.push(...page.rows)
        after = page.last
        done = page.last === undefined
      } catch (error) {
        // Only the code is looked at.
        codes.add((error as { code: string }).code)
      }
    }
    await connection?.[Symbol.asyncDispose]()
    expect(seen).toEqual(Array.from({ length: ROWS }, (_, i) => [i + 1, `${'v'.repeat(50)}${i + 1}`]))
    expect([...codes]).toEqual(['SOURCE_UNREACHABLE'])
    expect(proxy.accepted).toBeGreaterThan(5)
  })

  it('never takes half a stream for a whole one', async () => {
    await using direct = await postgresSource({ url: database.url }).connect()
    const table = await direct.describeTable({ schema: 'public', name: 'faulty' })
    await using proxy = await startProxy(cutting(random(seed), 400_000))
    await using connection = await postgresSource({ url: proxy.url(database.url), queryTimeoutMs: 5000 }).connect().catch(() => direct)
    const outcomes: (number | string)[] = []
    for (let i = 0; i < 30; i += 1) {
      const work = connection.streamRows?.({ table, columns: table.columns, key: ['id'] }).then((stream) => readStream(stream, 1000))
      // Only the code is looked at.
      outcomes.push(await work?.then(({ rows }) => rows.length, (error: unknown) => (error as { code: string }).code) ?? 'no stream')
    }
    expect(new Set(outcomes)).toEqual(new Set([ROWS, 'SOURCE_UNREACHABLE']))
  })
})
