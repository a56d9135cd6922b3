import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { kyselySource, type KyselyTableHints } from '@tidemark/core/kysely'
import { SqliteDialect } from 'kysely'
import type { SourceHarness, SourceSubject } from '../harness/source-harness.ts'
import { COLUMN_KINDS, type TableSpec } from '../harness/table-spec.ts'
import { sqlSourceHarness, type SqlSession } from '../sql/sql-source-harness.ts'
import { sqliteSyntax } from '../sql/sql-syntax.ts'
import { asBetterSqlite } from './better-sqlite.ts'

const GRACE_MS = 5_000

/** Kysely's SQLite dialect over `node:sqlite`, on a file of its own per case. */
export function kyselySqliteSubject(streamsRows: boolean): SourceSubject {
  return {
    name: `kysely over node:sqlite${streamsRows ? ', streaming' : ''}`,
    traits: {
      capabilities: { settling: 'grace', streamsRows, diagnoses: false, reportsSchemaVersion: false, keepsOrdinals: false, detectsRewind: false },
      facts: {
        kinds: COLUMN_KINDS, textHoldsNul: true, maxNameLength: 63, reportsIndexes: false,
        // SQLite has one writer at a time.
        openTransactions: false, blocksReads: false, killsConnections: false, unreachable: true, wrongPassword: false, holdsMarksBack: true, settlesNextToWriter: true,
      },
    },
    open: () => openHarness(streamsRows),
  }
}

async function openHarness(streamsRows: boolean): Promise<SourceHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-kysely-'))
  const path = join(folder, 'source.db')
  const hints: Record<string, KyselyTableHints> = {}
  let nowMs = Date.UTC(2024, 0, 1)
  const source = (file: string): ReturnType<typeof kyselySource> => kyselySource({
    name: 'sqlite', address: `sqlite:${path}`, tables: hints, capabilities: { streamsRows }, graceMs: GRACE_MS, nowMs: () => nowMs,
    dialect: () => new SqliteDialect({ database: async () => asBetterSqlite(new DatabaseSync(file)) }),
  })
  const harness = await sqlSourceHarness({
    syntax: sqliteSyntax, openSession: async () => openSession(path), source: () => source(path), nowMs: () => nowMs,
    passGrace: async () => { nowMs += GRACE_MS },
    unreachable: () => ({ source: source(join(folder, 'hunter2', 'none.db')), secret: 'hunter2' }),
    dispose: () => rm(folder, { recursive: true }),
  })
  return rememberHints(harness, hints)
}

/** Introspection knows no keys and no decimals: what a user would write into `tables`. */
function rememberHints(harness: SourceHarness, hints: Record<string, KyselyTableHints>): SourceHarness {
  const createTable = harness.createTable.bind(harness)
  harness.createTable = (spec: TableSpec) => {
    const bools = spec.columns.filter((column) => column.kind === 'bool').map((column) => [column.name, 'boolean'] as const)
    hints[spec.name] = { key: spec.key, columns: Object.fromEntries(bools) }
    return createTable(spec)
  }
  return harness
}

function openSession(path: string): SqlSession {
  const database = new DatabaseSync(path)
  database.exec('pragma journal_mode = wal; pragma synchronous = off')
  return { execute: async (sql) => database.exec(sql), close: async () => database.close() }
}
