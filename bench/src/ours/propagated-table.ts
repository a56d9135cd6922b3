import { DatabaseSync } from 'node:sqlite'
import { httpPeer, Propagator, type Peer } from '@tidemark/core'
import { sqliteChanges } from '@tidemark/node'
import { RECEIVER_TOKEN } from '../process/receiver-process.ts'

export const ITEMS = 'CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, quantity INTEGER, score REAL, note TEXT, tag BLOB, kind INTEGER, updated_at TEXT)'

export function makeItems(path: string): void {
  using database = new DatabaseSync(path)
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${ITEMS}`)
}

export function countItems(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true })
  return Number(database.prepare('SELECT count(*) AS n FROM items').get()?.['n'])
}

export function peersAt(urls: readonly string[]): readonly Peer[] {
  return urls.map((url, index) => httpPeer({ url, token: RECEIVER_TOKEN, name: `peer-${index}` }))
}

export function propagatorOf(path: string, peers: readonly Peer[]): Propagator {
  return new Propagator({ source: sqliteChanges({ path }, { tables: ['items'] }), origin: 'writer', peers })
}
