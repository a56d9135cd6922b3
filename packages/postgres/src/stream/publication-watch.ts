import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import type { PublishedTable } from './published-table.ts'
import { gap } from './replication-slot.ts'

const NAMES = `SELECT * FROM pg_catalog.jsonb_to_recordset($2::pg_catalog.text::pg_catalog.jsonb) AS w(schema pg_catalog.text, name pg_catalog.text, oid pg_catalog.text)`
const PUBLISHED = `EXISTS (SELECT 1 FROM pg_catalog.pg_publication_tables t WHERE t.pubname = $1::pg_catalog.text AND t.schemaname = n.nspname AND t.tablename = c.relname)`

const BEGIN = `SELECT p.oid::pg_catalog.text, (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', n.nspname, 'name', c.relname, 'oid', c.oid::pg_catalog.text))
  FROM (${NAMES}) AS w JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.name WHERE ${PUBLISHED})::pg_catalog.text
FROM pg_catalog.pg_publication p WHERE p.pubname = $1::pg_catalog.text`

/** Whoever has a watched name now must be published, and whatever had it must have it still. One that is gone has no changes to miss. */
const LOOK = `SELECT 1 FROM pg_catalog.pg_publication p WHERE p.pubname = $1::pg_catalog.text AND p.oid::pg_catalog.text = $3::pg_catalog.text AND NOT EXISTS (
  SELECT 1 FROM (${NAMES}) AS w, pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE (n.nspname = w.schema AND c.relname = w.name AND NOT ${PUBLISHED}) OR (c.oid::pg_catalog.text = w.oid AND (n.nspname <> w.schema OR c.relname <> w.name)))`

interface Watched {
  readonly oid: string
  readonly tables: string
}

/**
 * Notices that the publication is another than it was, or has not every table any more. The server does not: it leaves out what is not published, from 18 on also
 * where there is no publication at all. Looked at from time to time, so that it is told after some changes may be missing, but told.
 */
export class PublicationWatch {
  readonly #publication: string
  #watched: Watched | undefined

  constructor(publication: string) {
    this.#publication = publication
  }

  /** From now on it must be as it is now. */
  async begin(session: SqlSession, tables: readonly PublishedTable[], options: AbortOptions): Promise<void> {
    const names = tables.map(({ schema: { ref } }) => ({ schema: ref.schema ?? 'public', name: ref.name }))
    const [row] = await session.query({ text: BEGIN, parameters: [this.#publication, JSON.stringify(names)], signal: options.signal })
    this.#watched = row === undefined ? undefined : { oid: row[0] ?? '', tables: row[1] ?? '[]' }
  }

  /** Errors: `CHANGE_GAP`. */
  async look(session: SqlSession, { signal }: AbortOptions): Promise<void> {
    const watched = this.#watched
    if (watched === undefined) return
    const rows = await session.query({ text: LOOK, parameters: [this.#publication, watched.tables, watched.oid], signal })
    // Set up anew meanwhile.
    if (rows.length === 0 && watched === this.#watched) throw gap('publication-changed')
  }

  /** Until it is set up again. */
  end(): void {
    this.#watched = undefined
  }
}

export function isPublicationGap(error: unknown): error is TidemarkError {
  return error instanceof TidemarkError && error.code === 'CHANGE_GAP' && error.detail === 'publication-changed'
}
