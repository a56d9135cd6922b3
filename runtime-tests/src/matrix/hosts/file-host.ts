import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createClient } from '@libsql/client'
import { libsqlFileTarget } from '@tidemark/libsql'
import {
  fsStorage, nodeSqlite, nodeSqlitePropagationTarget, nodeSqliteSource, nodeSqliteStateStore, nodeSqliteTarget, sqliteChanges,
} from '@tidemark/node'
import { storyPostgres } from './story-postgres.ts'
import type { Entries, StoryDatabase, StoryHost } from '../story-host.ts'

/** Node, Bun and Deno: files, by the runtime's own `node:sqlite`. Each has a server of its own. */
export async function fileHost(serve: StoryHost['serve']): Promise<StoryHost & AsyncDisposable> {
  const folder = process.env['STORY_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'tidemark-story-'))
  const { entries } = await import(process.env['STORY_ENTRIES'] ?? '') as { readonly entries: Entries } // see `entriesModule`
  const opened = new Map<string, OpenedFile>()
  const postgres = storyPostgres(process.env['STORY_POSTGRES_URL'] ?? '')
  return {
    version: process.versions['bun'] ?? process.versions['deno'] ?? process.versions.node,
    entries,
    storage: fsStorage(join(folder, 'dumps'), { create: true }),
    database: (name) => {
      const found = opened.get(name) ?? new OpenedFile(join(folder, `${name}.db`))
      opened.set(name, found)
      return found
    },
    libsql: () => libsqlFile(join(folder, 'libsql.db')),
    postgres,
    serve,
    [Symbol.asyncDispose]: async () => {
      for (const file of opened.values()) file.close()
      await postgres[Symbol.asyncDispose]()
    },
  }
}

function libsqlFile(path: string): ReturnType<StoryHost['libsql']> {
  return {
    target: () => libsqlFileTarget({ path }),
    rows: async (sql) => {
      const client = createClient({ url: `file:${path}` })
      const { rows } = await client.execute(sql)
      client.close()
      return rows.map((row) => Object.values(row))
    },
  }
}

class OpenedFile implements StoryDatabase {
  readonly #path: string
  readonly #database: DatabaseSync

  constructor(path: string) {
    this.#path = path
    this.#database = new DatabaseSync(path)
    this.#database.exec('PRAGMA journal_mode = WAL')
  }

  run(sql: string): Promise<void> {
    return Promise.resolve(this.#database.exec(sql))
  }

  rows(sql: string): Promise<readonly unknown[]> {
    return Promise.resolve(this.#database.prepare(sql).all().map((row) => Object.values(row)))
  }

  source = () => Promise.resolve(nodeSqliteSource({ path: this.#path }))
  target = () => nodeSqliteTarget({ path: this.#path })
  changes = (tables: readonly string[]) => sqliteChanges({ path: this.#path }, { tables })
  state = () => nodeSqliteStateStore({ path: `${this.#path}.state` })
  dumpable = () => nodeSqlite({ path: this.#path })
  propagationTarget = () => nodeSqlitePropagationTarget({ path: this.#path })

  close(): void {
    this.#database.close()
  }
}
