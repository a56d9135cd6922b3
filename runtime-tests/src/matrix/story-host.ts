import type { ChangeSource, ExportSource, ImportTarget, ObjectStorage, PeerFetch, PropagationTarget, SourceDialect, StateStore, TargetDialect } from '@tidemark/core'

/** How each entry is imported. */
export type Entries = Readonly<Record<string, () => Promise<object>>>

/** What the story needs of a runtime. Each call of a factory gives an adapter as an application of that runtime would make it. */
export interface StoryHost {
  /** Of the runtime. */
  readonly version: string
  /** Every entry of every package, by the name it is imported by. */
  readonly entries: Entries
  readonly storage: ObjectStorage
  /** One database of each name, empty at first. */
  database(name: DatabaseName): StoryDatabase
  /** A file by libSQL's own library. */
  libsql(): Pick<StoryDatabase, 'target' | 'rows'>
  /** A real PostgreSQL, with the table of `postgres-cells.ts`. */
  readonly postgres: StoryPostgres
  /** Mounts a handler in the runtime's own server. */
  serve(handler: (request: Request) => Promise<Response>): Promise<StoryServer>
}

/** `app` is the application's. */
export type DatabaseName = 'app' | 'copy' | 'postgresCopy' | 'restored' | 'restoredRows' | 'peer'

export interface StoryDatabase {
  /** One statement. */
  run(sql: string): Promise<void>
  rows(sql: string): Promise<readonly unknown[]>
  /** Rejects where the runtime has no files. */
  source(): Promise<SourceDialect>
  target(): TargetDialect
  changes(tables: readonly string[]): ChangeSource & { notify(): void }
  state(): StateStore & AsyncDisposable
  dumpable(): ExportSource & ImportTarget
  propagationTarget(): PropagationTarget
}

export interface StoryPostgres {
  readonly url: string
  run(sql: string): Promise<void>
}

export interface StoryServer extends AsyncDisposable {
  readonly url: string
  /** As `fetch`; in a runtime whose server has no address, through the server all the same. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>
}

/** A server's `fetch` as a peer calls it. */
export function peerFetch(server: StoryServer): PeerFetch {
  return (url, init) => server.fetch(url, init)
}
