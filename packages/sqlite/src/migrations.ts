import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchDriver, BatchTransaction } from './driver.ts'
import { quote } from './quote.ts'

/** Our own tables, by what they hold. The prefix is the user's choice; `tmp_` keeps an old convention. */
export interface LedgerTables {
  readonly meta: string
  readonly configs: string
  readonly logs: string
  readonly leases: string
  readonly tables: string
  readonly columns: string
}

export function ledgerTables(prefix: string): LedgerTables {
  return {
    meta: quote(`${prefix}meta`),
    configs: quote(`${prefix}replication_configs`),
    logs: quote(`${prefix}replication_logs`),
    leases: quote(`${prefix}leases`),
    tables: quote(`${prefix}tables`),
    columns: quote(`${prefix}columns`),
  }
}

/** One entry per version, oldest first; an entry is never edited once released. */
const MIGRATIONS: readonly ((tables: LedgerTables) => readonly string[])[] = [
  (tables) => [
    `CREATE TABLE ${tables.configs} (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      source_address TEXT NOT NULL,
      source_table TEXT NOT NULL,
      target_table TEXT NOT NULL,
      tracking_column TEXT,
      sync_interval_minutes REAL,
      is_active INTEGER NOT NULL,
      state TEXT,
      last_sync_value TEXT,
      last_sync_timestamp TEXT,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL
    )`,
    `CREATE TABLE ${tables.logs} (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      config_name TEXT NOT NULL,
      status TEXT NOT NULL,
      records_processed INTEGER NOT NULL,
      error_code TEXT,
      error_message TEXT,
      sync_duration_ms INTEGER NOT NULL,
      created_at TEXT NOT NULL
    )`,
    `CREATE TABLE ${tables.leases} (lease TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL, expires_at_ms INTEGER NOT NULL)`,
    `CREATE TABLE ${tables.tables} (table_name TEXT PRIMARY KEY, origin TEXT NOT NULL)`,
    `CREATE TABLE ${tables.columns} (
      table_name TEXT NOT NULL,
      ordinal INTEGER NOT NULL,
      name TEXT NOT NULL,
      source_type TEXT NOT NULL,
      logical_type TEXT NOT NULL,
      scale INTEGER NOT NULL,
      nullable INTEGER NOT NULL,
      PRIMARY KEY (table_name, ordinal)
    )`,
  ],
]

/** Brings our own tables to this version. A newer one is `STATE_NEWER` and left untouched. */
export async function migrate(driver: Pick<BatchDriver, 'transaction'>, prefix: string): Promise<void> {
  const tables = ledgerTables(prefix)
  await driver.transaction(async (transaction) => {
    const version = await schemaVersion(transaction, prefix)
    if (version > MIGRATIONS.length) {
      throw new TidemarkError('STATE_NEWER', `The target's Tidemark tables have version ${version}; this release knows ${MIGRATIONS.length}.`)
    }
    if (version === MIGRATIONS.length) return
    await transaction.run(`CREATE TABLE IF NOT EXISTS ${tables.meta} (key TEXT PRIMARY KEY, value TEXT NOT NULL)`)
    for (const statements of MIGRATIONS.slice(version)) {
      for (const sql of statements(tables)) await transaction.run(sql)
    }
    await transaction.run(`INSERT INTO ${tables.meta} VALUES ('schema_version', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, [String(MIGRATIONS.length)])
  })
}

async function schemaVersion(transaction: Pick<BatchTransaction, 'query'>, prefix: string): Promise<number> {
  const made = await transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [`${prefix}meta`])
  if (made.length === 0) return 0
  const rows = await transaction.query(`SELECT value FROM ${ledgerTables(prefix).meta} WHERE key = 'schema_version'`)
  return Number(rows[0]?.[0] ?? 0)
}
