import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { describeCaptured, type CapturedTable } from './captured-table.ts'
import { readLayouts, type StoredLayout } from './layouts.ts'
import { isLogTrigger, layoutOfTrigger, type LogNames } from './log-names.ts'
import { readLogState, type LogState } from './log-schema.ts'
import type { SchemaWatch } from './schema-watch.ts'
import { hasVacuumed } from './vacuum-watch.ts'

export interface Trigger {
  readonly name: string
  readonly table: string
  /** Its layout; `undefined` where it is none of this log's. */
  readonly layoutId: number | undefined
  readonly isUsers: boolean
}

/** A layout whose triggers should be in the database, and what is there. */
export interface FollowedLayout {
  readonly stored: StoredLayout
  /** Its own triggers. */
  readonly triggers: readonly Trigger[]
  /** The table that has them; where nobody has, the one that has its name. */
  readonly table: CapturedTable | undefined
}

/** Everything that bringing capture in line depends on, as of one transaction. */
export interface FoundCapture {
  /** The tables asked for. */
  readonly wanted: readonly CapturedTable[]
  /** `undefined` where there is no log yet. */
  readonly log: LogState | undefined
  readonly layouts: readonly StoredLayout[]
  readonly followed: readonly FollowedLayout[]
  /** Of all tables, in the order they were made, which is the reverse of the order in which SQLite fires them. */
  readonly triggers: readonly Trigger[]
  /** The last change up to which the tables were seen to be as the triggers know them. */
  readonly verified: number
  readonly hasVacuumed: boolean
  /** As `SchemaWatch` says. */
  readonly schemaVersion: number
}

export interface FindRequest {
  readonly tables: readonly string[]
  /** Whether a table that is gone, or a view now, is left out instead of being an error. */
  readonly isRunning: boolean
  readonly watch: SchemaWatch
}

/** Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `LOG_NOT_OWNED`, `STATE_NEWER`. */
export async function readCapture(transaction: BatchTransaction, names: LogNames, request: FindRequest): Promise<FoundCapture> {
  const wanted = await describeWanted(transaction, names, request)
  const log = await readLogState(transaction, names)
  const triggers = await readTriggers(transaction, names)
  if (log === undefined) return { wanted, log, triggers, layouts: [], followed: [], verified: 0, hasVacuumed: false, schemaVersion: -1 }
  const layouts = await readLayouts(transaction, names)
  return {
    wanted, log, triggers, layouts,
    followed: await readFollowed(transaction, names, { layouts, triggers }),
    verified: await readNumber(transaction, `SELECT value FROM ${names.meta} WHERE key = 'verified'`),
    hasVacuumed: await hasVacuumed(transaction, names),
    schemaVersion: await readNumber(transaction, request.watch.versionSql),
  }
}

async function describeWanted(transaction: BatchTransaction, names: LogNames, { tables, isRunning }: FindRequest): Promise<readonly CapturedTable[]> {
  const described = new Map<string, CapturedTable>()
  for (const table of tables) {
    try {
      described.set(table.toLowerCase(), await describeCaptured(transaction, names, table))
    } catch (error) {
      const isGone = error instanceof TidemarkError && (error.code === 'TABLE_UNKNOWN' || error.code === 'TABLE_NOT_CAPTURABLE')
      if (!isRunning || !isGone) throw error
    }
  }
  return [...described.values()]
}

export async function readTriggers(transaction: Pick<BatchTransaction, 'query'>, names: LogNames): Promise<readonly Trigger[]> {
  const rows = await transaction.query(`SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid`)
  return rows.map(([name, table, sql]) => ({
    name: String(name), table: String(table), layoutId: layoutOfTrigger(names, String(name)), isUsers: !isLogTrigger({ name: String(name), sql: String(sql) }),
  }))
}

async function readFollowed(
  transaction: BatchTransaction, names: LogNames, { layouts, triggers }: { readonly layouts: readonly StoredLayout[]; readonly triggers: readonly Trigger[] },
): Promise<readonly FollowedLayout[]> {
  const followed: FollowedLayout[] = []
  for (const stored of layouts.filter(({ isCurrent }) => isCurrent)) {
    const own = triggers.filter((trigger) => trigger.layoutId === stored.layout.id)
    const name = own[0]?.table ?? await existing(transaction, stored.layout.table)
    followed.push({ stored, triggers: own, table: name === undefined ? undefined : await describeCaptured(transaction, names, name) })
  }
  return followed
}

async function existing(transaction: BatchTransaction, table: string): Promise<string | undefined> {
  const found = await transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [table])
  return found.length === 0 ? undefined : table
}

async function readNumber(transaction: BatchTransaction, sql: string): Promise<number> {
  const rows = await transaction.query(sql)
  return Number(rows[0]?.[0] ?? 0)
}
