import { copyFileSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Propagator } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { movableRuntime } from '../test/movable-runtime.ts'
import { settle, useSites, type Site } from '../test/use-sites.ts'

const SCHEMA = 'CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, n INT DEFAULT 0)'
const CAPTURE = { capture: ['users'] } as const
/** Beyond the cooldown of a peer that is left alone. */
const A_WHILE_MS = 60_000

const many = (from: number, to: number): string => `WITH RECURSIVE i (n) AS (VALUES (${from}) UNION ALL SELECT n + 1 FROM i WHERE n < ${to}) INSERT INTO users SELECT n, 'row ' || n, n FROM i`

function down(site: Site): void {
  site.gate = () => Promise.resolve(new Response('', { status: 503 }))
}

describe('a peer that was away', () => {
  const sites = useSites()
  const pair = async (): Promise<readonly [Site, Site]> => [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]

  it('gets all that it has missed, in order, and none of it twice', async () => {
    const [a, b] = await pair()
    const runtime = movableRuntime()
    const propagator = sites.propagator(a, [b], { ...CAPTURE, runtime })
    await propagator.flush()
    down(b)
    for (let id = 0; id < 20; id += 1) {
      a.run(`INSERT INTO users VALUES (${id}, 'x', 0); UPDATE users SET n = n + 1; DELETE FROM users WHERE id = ${id} - 5`)
      await propagator.flush()
    }
    expect(b.cells('users')).toEqual([])
    b.gate = undefined
    runtime.advance(A_WHILE_MS)
    const copied: unknown[] = []
    propagator.on('peer:copied', (event) => copied.push(event))
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(copied).toEqual([])
  })

  const purge = async (propagator: Propagator, a: Site, b: Site): Promise<void> => {
    await propagator.flush()
    down(b)
    for (let from = 100; from < 1_000; from += 100) {
      a.run(many(from, from + 99))
      await propagator.flush()
    }
    a.run('DELETE FROM users WHERE id % 2 = 0')
    await propagator.stop()
    const log = new DatabaseSync(a.file)
    log.exec(`DELETE FROM tidemark_log WHERE seq <= (SELECT max(seq) - 50 FROM tidemark_log)`)
    log.close()
    b.gate = undefined
  }

  it('further behind than the log keeps gets the rows anew, and loses those that are gone', async () => {
    const [a, b] = await pair()
    a.run(many(1, 50))
    const source = { retention: { maxEvents: 60, whenFull: 'discard' } } as const
    const first = sites.propagator(a, [b], { ...CAPTURE, source })
    await purge(first, a, b)
    const propagator = sites.propagator(a, [b], { ...CAPTURE, source })
    const copied: unknown[] = []
    propagator.on('peer:copied', (event) => copied.push(event))
    expect((await propagator.flush()).reached).toEqual(['b'])
    expect(copied.length).toBeGreaterThan(0)
    expect(b.cells('users')).toEqual(a.cells('users'))
    a.run(many(2_000, 2_010))
    await propagator.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('further behind than the log keeps stops with CHANGE_GAP where no copies are wanted', async () => {
    const [a, b] = await pair()
    const source = { retention: { maxEvents: 60, whenFull: 'discard' } } as const
    const first = sites.propagator(a, [b], { ...CAPTURE, source, snapshot: false })
    await purge(first, a, b)
    const propagator = sites.propagator(a, [b], { ...CAPTURE, source, snapshot: false })
    expect((await propagator.flush()).behind).toEqual(['b'])
    expect(propagator.status().peers[0]?.lastError?.code).toBe('CHANGE_GAP')
    expect(b.cells('users')).toEqual([])
  })

  it('gets the rows anew when the table was dropped and made again at the source', async () => {
    const [a, b] = await pair()
    a.run(many(1, 20))
    const runtime = movableRuntime()
    const first = sites.propagator(a, [b], { ...CAPTURE, runtime })
    await first.flush()
    a.run(`DROP TABLE users; ${SCHEMA}; ${many(5, 8)}`)
    await first.flush()
    await first.stop()
    const propagator = sites.propagator(a, [b], { ...CAPTURE, runtime })
    for (let round = 0; round < 5; round += 1) {
      await propagator.flush()
      runtime.advance(A_WHILE_MS)
    }
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('is told of a source that was restored from a backup, and gets its rows anew', async () => {
    const [a, b] = await pair()
    a.run(many(1, 20))
    const first = sites.propagator(a, [b], CAPTURE)
    await first.flush()
    await first.stop()
    a.run('PRAGMA wal_checkpoint(TRUNCATE)')
    copyFileSync(a.file, `${a.file}.backup`)
    const second = sites.propagator(a, [b], CAPTURE)
    a.run(many(21, 40))
    await second.flush()
    expect(b.cells('users')).toHaveLength(40)
    await second.stop()
    a.run('PRAGMA wal_checkpoint(TRUNCATE)')
    await a.restart()
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${a.file}${suffix}`, { force: true })
    copyFileSync(`${a.file}.backup`, a.file)
    a.run(`INSERT INTO users VALUES (100, 'after the backup', 1)`)
    const third = sites.propagator(a, [b], CAPTURE)
    await settle([third], [b])
    expect(b.cells('users')).toEqual(a.cells('users'))
    a.run(`${many(200, 230)}; DELETE FROM users WHERE id < 10`)
    await third.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('takes another log of the same name only from one that takes over, and never again from the former', async () => {
    const [a, b] = await pair()
    a.run(many(1, 5))
    const former = sites.propagator(a, [b], CAPTURE)
    await former.flush()
    const heir: Site = { ...await sites.add('heir', { schema: SCHEMA }), name: 'a' }
    heir.run(many(3, 9))
    const quiet = sites.propagator(heir, [b], CAPTURE)
    expect((await quiet.flush()).behind).toEqual(['b'])
    await quiet.stop()
    const taking = sites.propagator(heir, [b], { ...CAPTURE, takesOver: true })
    expect((await taking.flush()).reached).toEqual(['b'])
    expect(b.cells('users')).toEqual(heir.cells('users'))
    a.run(`INSERT INTO users VALUES (77, 'too late', 1)`)
    for (const takesOver of [false, true]) {
      const late = sites.propagator(a, [b], { ...CAPTURE, takesOver })
      expect((await late.flush()).behind).toEqual(['b'])
      expect(late.status().peers[0]?.lastError?.code).toBe('ORIGIN_TAKEN')
      await late.stop()
    }
    expect(b.cells('users')).toEqual(heir.cells('users'))
  })
})

describe('a transaction that takes many messages', () => {
  const sites = useSites()
  const ROWS = 20_000

  it.each(['without interruption', 'with both sides ended between its parts'])('arrives whole %s: no reader ever sees a part of it', async (how) => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    let propagator = sites.propagator(a, [b], CAPTURE)
    await propagator.flush()
    const reader = sites.use(sites.connection(b))
    const count = reader.prepare('SELECT count(*) AS n, total(n) AS total FROM users')
    const seen = new Set<string>()
    const look = (): void => void seen.add(Object.values(count.get() ?? {}).join(' '))
    let units = 0
    b.gate = async (body, through) => {
      look()
      const isUnit = body.includes('"type":"unit"')
      if (isUnit) units += 1
      // The answer to every third part is lost: it was kept, and comes again.
      const answer = await through()
      look()
      return isUnit && how.startsWith('with both') && units % 3 === 0 ? new Response('', { status: 502 }) : answer
    }
    const polls = setInterval(look, 1)
    a.run(`BEGIN; ${many(1, ROWS)}; UPDATE users SET n = -n; COMMIT`)
    await propagator.flush()
    for (let restart = 0; how.startsWith('with both') && restart < 40 && (await propagator.flush()).behind.length > 0; restart += 1) {
      await propagator.stop()
      await b.restart()
      propagator = sites.propagator(a, [b], CAPTURE)
    }
    clearInterval(polls)
    look()
    expect(units).toBeGreaterThan(10)
    expect([...seen]).toEqual(['0 0', `${ROWS} ${-ROWS * (ROWS + 1) / 2}`])
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(parts(b)).toBe(0)
  }, 60_000)

  it('a copy goes on where it was when either side is restarted, also while rows change', async () => {
    const [a, b] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA })]
    a.run(many(1, 500))
    let chunks = 0
    b.gate = (body, through) => {
      if (!body.includes('"type":"chunk"')) return through()
      chunks += 1
      return chunks % 4 === 0 ? Promise.resolve(new Response('', { status: 502 })) : through()
    }
    for (let round = 0; round < 30; round += 1) {
      const propagator = sites.propagator(a, [b], { ...CAPTURE, batch: { rows: 25 } })
      const { behind } = await propagator.flush()
      await propagator.stop()
      await b.restart()
      if (behind.length === 0) break
      a.run(`UPDATE users SET n = n + 1 WHERE id % 7 = ${round}; INSERT INTO users VALUES (${-round - 1}, 'meanwhile', ${round}); DELETE FROM users WHERE id = ${round * 20 + 3}; UPDATE users SET id = id + 10000 WHERE id = ${490 - round}`)
    }
    expect(chunks).toBeGreaterThan(20)
    expect(chunks).toBeLessThan(50)
    const last = sites.propagator(a, [b], CAPTURE)
    await last.flush()
    expect(b.cells('users')).toEqual(a.cells('users'))
  })

  it('rows that come while a copy is passed on reach those behind it', async () => {
    const [a, b, c] = [await sites.add('a', { schema: SCHEMA }), await sites.add('b', { schema: SCHEMA }), await sites.add('c', { schema: SCHEMA })]
    const onward = sites.propagator(b, [c], CAPTURE)
    await onward.flush()
    a.run(many(1, 100))
    let chunks = 0
    b.gate = async (body, through) => {
      const answer = await through()
      if (body.includes('"type":"chunk"')) {
        chunks += 1
        a.run(`UPDATE users SET n = n + 1 WHERE id IN (1, 50, 100); INSERT INTO users VALUES (${1_000 + chunks}, 'meanwhile', 0)`)
        await onward.flush()
      }
      return answer
    }
    const propagator = sites.propagator(a, [b], { ...CAPTURE, batch: { rows: 10 } })
    await propagator.flush()
    b.gate = undefined
    await settle([propagator, onward], [b, c])
    expect(chunks).toBeGreaterThan(5)
    expect(b.cells('users')).toEqual(a.cells('users'))
    expect(c.cells('users')).toEqual(a.cells('users'))
  })
})

function parts(site: Site): number {
  const database = new DatabaseSync(site.file, { readOnly: true })
  const [row] = database.prepare('SELECT count(*) AS n FROM tidemark_peer_parts').all()
  database.close()
  return Number(row?.['n'])
}
