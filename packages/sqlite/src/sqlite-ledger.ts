import type {
  Fence, LeaseRequest, Ledger, ReplicationRecord, RowValues, RunLogEntry, RunLogLimits, StoredReplication, Value,
} from '@tidemark/core/adapter'
import type { BatchDriver } from './driver.ts'
import { ledgerTables, type LedgerTables } from './migrations.ts'
import { SqliteLeases } from './sqlite-leases.ts'

const CONFIG_COLUMNS = `name, source_address, source_table, target_table, tracking_column, sync_interval_minutes, is_active,
  state, last_sync_value, last_sync_timestamp, created_at`
const LOG_COLUMNS = 'config_name, status, records_processed, error_code, error_message, sync_duration_ms, created_at'

/** Serialises calls on one connection; given by the target connection that owns the driver. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>

type LedgerDriver = Pick<BatchDriver, 'query' | 'transaction'>

/** Tidemark's own tables in a SQLite database. */
export class SqliteLedger implements Ledger {
  readonly #driver: LedgerDriver
  readonly #exclusive: Exclusive
  readonly #tables: LedgerTables
  readonly #leases: SqliteLeases

  constructor(driver: LedgerDriver, prefix: string, exclusive: Exclusive) {
    this.#driver = driver
    this.#exclusive = exclusive
    this.#tables = ledgerTables(prefix)
    this.#leases = new SqliteLeases(this.#tables.leases, (work) => exclusive(() => driver.transaction(work)))
  }

  async saveReplication(record: ReplicationRecord, nowMs: number): Promise<void> {
    const now = isoTime(nowMs)
    await this.#write(
      `INSERT INTO ${this.#tables.configs}
         (name, source_address, source_table, target_table, tracking_column, sync_interval_minutes, is_active, created_at, updated_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (name) DO UPDATE SET source_address = excluded.source_address, source_table = excluded.source_table,
         target_table = excluded.target_table, tracking_column = excluded.tracking_column,
         sync_interval_minutes = excluded.sync_interval_minutes, is_active = excluded.is_active, updated_at = excluded.updated_at`,
      [
        record.name, record.sourceAddress, record.sourceTable, record.targetTable, record.trackingColumn ?? null,
        record.syncIntervalMinutes ?? null, record.isActive ? 1 : 0, now, now,
      ],
    )
  }

  async readReplication(name: string): Promise<StoredReplication | undefined> {
    const rows = await this.#read(`SELECT ${CONFIG_COLUMNS} FROM ${this.#tables.configs} WHERE name = ?`, [name])
    return rows[0] === undefined ? undefined : toStoredReplication(rows[0])
  }

  async listReplications(): Promise<readonly StoredReplication[]> {
    const rows = await this.#read(`SELECT ${CONFIG_COLUMNS} FROM ${this.#tables.configs} ORDER BY id`, [])
    return rows.map(toStoredReplication)
  }

  async removeReplication(name: string): Promise<void> {
    await this.#write(`DELETE FROM ${this.#tables.configs} WHERE name = ?`, [name])
  }

  async appendRun(entry: RunLogEntry, limits: RunLogLimits): Promise<void> {
    const { logs } = this.#tables
    await this.#exclusive(() => this.#driver.transaction(async (transaction) => {
      await transaction.run(`INSERT INTO ${logs} (${LOG_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`, [
        entry.name, entry.status, entry.rows, entry.errorCode ?? null, entry.errorMessage ?? null, entry.durationMs, isoTime(entry.atMs),
      ])
      // Ids and times only grow, so both caps cut a prefix of the primary key, found without reading what stays.
      await transaction.run(`DELETE FROM ${logs} WHERE id <= (SELECT max(id) FROM ${logs}) - ?`, [limits.maxEntries])
      await transaction.run(
        `DELETE FROM ${logs} WHERE id < (SELECT id FROM ${logs} WHERE created_at >= ? ORDER BY id LIMIT 1)`,
        [isoTime(entry.atMs - limits.maxAgeMs)],
      )
    }))
  }

  async readRuns(query: { readonly name?: string | undefined; readonly limit: number }): Promise<readonly RunLogEntry[]> {
    const where = query.name === undefined ? '' : 'WHERE config_name = ?'
    const rows = await this.#read(
      `SELECT ${LOG_COLUMNS} FROM ${this.#tables.logs} ${where} ORDER BY id DESC LIMIT ?`,
      query.name === undefined ? [query.limit] : [query.name, query.limit],
    )
    return rows.map(toRunLogEntry)
  }

  acquireLease(request: LeaseRequest): Promise<Fence | undefined> {
    return this.#leases.acquireLease(request)
  }

  renewLease(fence: Fence, request: LeaseRequest): Promise<boolean> {
    return this.#leases.renewLease(fence, request)
  }

  releaseLease(fence: Fence): Promise<void> {
    return this.#leases.releaseLease(fence)
  }

  #read(sql: string, parameters: readonly (string | number)[]): Promise<readonly RowValues[]> {
    return this.#exclusive(() => this.#driver.query(sql, parameters))
  }

  #write(sql: string, parameters: readonly (string | number | null)[]): Promise<void> {
    return this.#exclusive(() => this.#driver.transaction(async (transaction) => void await transaction.run(sql, parameters)))
  }
}

export function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function toStoredReplication(row: RowValues): StoredReplication {
  const [name, sourceAddress, sourceTable, targetTable, tracking, interval, isActive, state, lastValue, lastSync, createdAt] = row
  return {
    name: String(name),
    sourceAddress: String(sourceAddress),
    sourceTable: String(sourceTable),
    targetTable: String(targetTable),
    trackingColumn: textOf(tracking),
    syncIntervalMinutes: interval === null || interval === undefined ? undefined : Number(interval),
    isActive: Number(isActive) === 1,
    state: textOf(state),
    lastSyncValue: textOf(lastValue),
    lastSyncAtMs: lastSync === null || lastSync === undefined ? undefined : Date.parse(String(lastSync)),
    createdAtMs: Date.parse(String(createdAt)),
  }
}

function toRunLogEntry(row: RowValues): RunLogEntry {
  const [name, status, rows, errorCode, errorMessage, durationMs, at] = row
  return {
    name: String(name),
    status: status === 'success' ? 'success' : 'error',
    rows: Number(rows),
    errorCode: textOf(errorCode),
    errorMessage: textOf(errorMessage),
    durationMs: Number(durationMs),
    atMs: Date.parse(String(at)),
  }
}

function textOf(value: Value | undefined): string | undefined {
  return value === null || value === undefined ? undefined : String(value)
}
