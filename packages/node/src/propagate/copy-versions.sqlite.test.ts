import { DatabaseSync } from 'node:sqlite'
import type { ChangeSource } from '@tidemark/core'
import type { ChangeConnection } from '@tidemark/core/adapter'
import { httpPeer, Propagator } from '@tidemark/core'
import { describe, expect, it } from 'vitest'
import { nodeSqlitePropagationTarget } from '../node-sqlite-propagation-target.ts'
import { sqliteChanges } from '../sqlite-changes.ts'
import { addWriter, LAST_WRITER_WINS, writerPropagator } from '../test/join-writers.ts'
import { TOKEN, useSites, type Site } from '../test/use-sites.ts'

const SCHEMA = `CREATE TABLE notes (id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY, body TEXT)`
const CAPTURE = { capture: ['notes'] } as const

/** The same object with another method of that name. */
function replacing<Target extends object, Name extends keyof Target>(target: Target, name: Name, method: Target[Name]): Target {
  return new Proxy(target, {
    get: (of, key) => {
      if (key === name) return method
      const value: unknown = Reflect.get(of, key, of)
      return typeof value === 'function' ? value.bind(of) as unknown : value
    },
  })
}

/** The changes of a file; `then` is called when rows of a copy have been read. */
function copied(site: Site, then: () => void): ChangeSource {
  const source: ChangeSource = sqliteChanges({ path: site.file }, { tables: ['notes'] })
  return replacing(source, 'connect', async (options) => {
    const connection: ChangeConnection = await source.connect(options)
    return replacing(connection, 'readChunk', async (request) => {
      const chunk = await connection.readChunk?.(request)
      if (chunk === undefined) throw new Error('The source reads no chunks.')
      then()
      return chunk
    })
  })
}

function purge({ file }: Site): void {
  using database = new DatabaseSync(file)
  database.exec(`DELETE FROM tidemark_log WHERE seq < (SELECT max(seq) FROM tidemark_log); UPDATE tidemark_log_meta SET value = (SELECT max(seq) - 1 FROM tidemark_log) WHERE key = 'purged'`)
}

describe('rows of a copy that are written to while it is read', () => {
  const sites = useSites()

  it.each([
    ['changed', `UPDATE notes SET body = 'new' WHERE id = 'b'`],
    ['replaced under another form of its key', `REPLACE INTO notes VALUES ('B', 'new')`],
    ['given another key', `UPDATE notes SET id = 'x', body = 'new' WHERE id = 'b'`],
    ['deleted and made again', `DELETE FROM notes WHERE id = 'b'; INSERT INTO notes VALUES ('b', 'new')`],
    ['deleted', `DELETE FROM notes WHERE id = 'b'`],
  ])('have no newer version than they are, so that a later copy is no news: %s', async (_name, write) => {
    const [a, b] = [await addWriter(sites, 'a', { schema: SCHEMA, ...CAPTURE }), await addWriter(sites, 'b', { schema: SCHEMA, ...CAPTURE })]
    a.run(`INSERT INTO notes VALUES ('a', 'same'), ('b', 'old'), ('c', 'same')`)
    let writes = 0
    const source = copied(a, () => {
      if ((writes += 1) === 1) a.run(write)
    })
    // The change itself does not come any more.
    b.gate = (body, through) => (body.includes('"type":"unit"') ? Promise.resolve(new Response('', { status: 503 })) : through())
    {
      await using cut = new Propagator({ ...LAST_WRITER_WINS, source, origin: 'a', peers: [httpPeer({ url: b.url, name: 'b', token: TOKEN })], target: nodeSqlitePropagationTarget({ path: a.file }) })
      expect((await cut.flush()).behind).toEqual(['b'])
    }
    expect(b.cells('notes')).toHaveLength(3)
    expect(b.cells('notes')).not.toEqual(a.cells('notes'))
    a.run(`INSERT INTO notes VALUES ('d', 'later')`)
    purge(a)
    b.gate = undefined
    expect((await writerPropagator(sites, [a, [b]], CAPTURE).flush()).behind).toEqual([])
    expect(b.cells('notes')).toEqual(a.cells('notes'))
  })
})
