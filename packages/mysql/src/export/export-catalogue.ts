import { TidemarkError } from '@tidemark/core/adapter'
import type { RunOptions } from '../mysql-link.ts'
import type { Session } from '../open-session.ts'

export type RelationKind = 'table' | 'view' | 'sequence'

/** A table, view or sequence of the database, as the catalogue has it. */
export interface Relation {
  readonly name: string
  readonly kind: RelationKind
  readonly engine: string | undefined
  readonly isVersioned: boolean
  readonly isPartitioned: boolean
  readonly estimatedRows: number | undefined
  readonly estimatedBytes: number | undefined
}

/** What the database holds, by its catalogue. */
export interface ExportCatalogue {
  readonly database: string
  readonly relations: readonly Relation[]
  /** Engines whose tables a consistent snapshot holds still, in lower case. */
  readonly heldEngines: ReadonlySet<string>
  readonly foldsCase: boolean
}

/** Errors: `CONFIG_INVALID` when the connection names no database. */
export async function readExportCatalogue(session: Session, options: RunOptions): Promise<ExportCatalogue> {
  const { database } = session.server
  if (database === undefined) throw withoutDatabase()
  const { link } = session
  const rows = await link.rows(
    'SELECT table_name, table_type, engine, table_rows, data_length, create_options FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY table_name', options,
  )
  const engines = await link.rows('SELECT engine FROM information_schema.engines WHERE transactions = \'YES\'', options)
  const [[folding = null] = []] = await link.rows('SELECT @@lower_case_table_names', options)
  return {
    database,
    // Compared by bytes: the catalogue's order follows a collation that differs from server to server.
    relations: rows.map(toRelation).sort((a, b) => (a.name < b.name ? -1 : 1)),
    heldEngines: new Set(engines.map(([engine]) => (engine ?? '').toLowerCase())),
    foldsCase: folding !== '0',
  }
}

function toRelation([name, type, engine, rows, bytes, how]: readonly (string | null)[]): Relation {
  const count = (text: string | null | undefined): number | undefined => (text === null || text === undefined ? undefined : Number(text))
  return {
    name: name ?? '',
    kind: type === 'SEQUENCE' ? 'sequence' : type?.includes('VIEW') === true ? 'view' : 'table',
    engine: engine ?? undefined,
    isVersioned: type === 'SYSTEM VERSIONED',
    isPartitioned: /\bpartitioned\b/u.test(how ?? ''),
    estimatedRows: count(rows),
    estimatedBytes: count(bytes),
  }
}

function withoutDatabase(): TidemarkError {
  const message = 'An export is of one database, and the connection names none.'
  return new TidemarkError('CONFIG_INVALID', message, { issues: [{ path: 'source.database', message }], remedy: 'Name the database in the URL or in `database`.' })
}
