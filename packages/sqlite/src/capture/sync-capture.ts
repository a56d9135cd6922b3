import { TidemarkError } from '@tidemark/core/adapter'
import type { SqliteTransaction } from '../driver.ts'
import { describeCaptured, type CapturedTable } from './captured-table.ts'
import { nextLayoutId, readLayouts, retireLayout, writeLayout, type StoredLayout } from './layouts.ts'
import { openLogTables, widenLog, writeMark } from './log-schema.ts'
import { isLogTrigger, layoutOfTrigger, type LogNames } from './log-names.ts'
import { isSameShape, makeLayout } from './make-layout.ts'
import { notePlan, type ReplacePolicy } from './note-plan.ts'
import { refreshSql } from './refresh-sql.ts'
import { entryWidth, type TableLayout } from './table-layout.ts'
import { triggerSql } from './trigger-sql.ts'
import { hasVacuumed } from './vacuum-watch.ts'
import { quote } from '../quote.ts'

export interface CaptureSettings {
  readonly names: LogNames
  readonly replace: ReplacePolicy
  readonly maxColumns: number
  readonly hasSmallRows: boolean
}

export interface SyncRequest {
  /** Tables that must be captured from now on, besides those that are. */
  readonly tables: readonly string[]
  /**
   * Whether they have been captured already. One that is gone since, or a view now, is told of as a change of the schema: readers
   * of the others must not be ended by it.
   */
  readonly isRunning: boolean
  /** Of a log that is made now. */
  readonly epoch: string
  /** The last change up to which the tables were seen to be as the triggers know them; as far as this process knows. */
  readonly verified: number
}

/**
 * Brings triggers and layouts in line with the tables as they are, in the caller's write transaction: so no write comes between.
 * Costs a few catalogue queries per table when nothing has changed.
 *
 * Returns tables of whose rows nothing is known: those that were captured once, were gone, and are there again, and after VACUUM
 * those whose rows are told by numbers which it may have changed.
 *
 * Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `LOG_NOT_OWNED`, `STATE_NEWER`; nothing is changed then.
 */
export async function syncCapture(transaction: SqliteTransaction, settings: CaptureSettings, request: SyncRequest): Promise<readonly string[]> {
  const { names } = settings
  const described = await describeAll(transaction, names, request)
  const log = await openLogTables(transaction, names, request.epoch)
  const sync = new CaptureSync(transaction, settings, { width: log.width, verified: Math.max(request.verified, await readVerified(transaction, names)) })
  const stored = await readLayouts(transaction, names)
  const triggers = await readTriggers(transaction, names)
  for (const layout of stored.filter(({ isCurrent }) => isCurrent)) await sync.follow(layout, triggers)
  const vacuumed = await hasVacuumed(transaction, names)
  const unknown = new Set(vacuumed ? stored.filter(({ isCurrent, layout }) => isCurrent && layout.rowid !== undefined).map(({ layout }) => layout.table) : [])
  for (const table of described.values()) if (await sync.add(table) && stored.some(({ layout }) => layout.table === table.name)) unknown.add(table.name)
  await transaction.run(`UPDATE ${names.meta} SET value = (SELECT max(seq) FROM ${names.log}) WHERE key = 'verified'`)
  return [...unknown]
}

async function describeAll(transaction: SqliteTransaction, names: LogNames, { tables, isRunning }: SyncRequest): Promise<ReadonlyMap<string, CapturedTable>> {
  const described = new Map<string, CapturedTable>()
  for (const table of tables) {
    try {
      described.set(table.toLowerCase(), await describeCaptured(transaction, names, table))
    } catch (error) {
      const isGone = error instanceof TidemarkError && (error.code === 'TABLE_UNKNOWN' || error.code === 'TABLE_NOT_CAPTURABLE')
      if (!isRunning || !isGone) throw error
    }
  }
  return described
}

async function readVerified(transaction: SqliteTransaction, names: LogNames): Promise<number> {
  const rows = await transaction.query(`SELECT value FROM ${names.meta} WHERE key = 'verified'`)
  return Number(rows[0]?.[0] ?? 0)
}

interface Trigger {
  readonly name: string
  readonly table: string
  /** Its layout; `undefined` where it is none of this log's. */
  readonly layoutId: number | undefined
  readonly isUsers: boolean
}

/** In the order they were made, which is the reverse of the order in which SQLite fires them. */
async function readTriggers(transaction: SqliteTransaction, names: LogNames): Promise<readonly Trigger[]> {
  const rows = await transaction.query(`SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid`)
  return rows.map(([name, table, sql]) => ({
    name: String(name), table: String(table), layoutId: layoutOfTrigger(names, String(name)), isUsers: !isLogTrigger({ name: String(name), sql: String(sql) }),
  }))
}

class CaptureSync {
  readonly #transaction: SqliteTransaction
  readonly #settings: CaptureSettings
  readonly #verified: number
  #width: number

  constructor(transaction: SqliteTransaction, settings: CaptureSettings, state: { readonly width: number; readonly verified: number }) {
    this.#transaction = transaction
    this.#settings = settings
    this.#width = state.width
    this.#verified = state.verified
  }

  /** A table that has triggers, or had. */
  async follow(stored: StoredLayout, triggers: readonly Trigger[]): Promise<void> {
    const { layout, signature } = stored
    const own = triggers.filter((trigger) => trigger.layoutId === layout.id)
    const table = own[0]?.table
    // A table takes its triggers along when it is renamed and down when it is dropped, also to be made anew.
    if (table === undefined) return this.#lose(layout)
    const described = await describeCaptured(this.#transaction, this.#settings.names, table)
    const last = triggers.findLast((trigger) => trigger.table === table && (trigger.isUsers || trigger.layoutId === layout.id))
    const isWhole = own.length === triggerSql(this.#settings.names, layout, notePlan(described, layout, this.#settings.replace)).length
    // A trigger of the user's that was made after ours fires before them, and what it changes would be logged first.
    if (described.signature === signature && isWhole && last?.layoutId === layout.id) return
    await this.#replace(described, { layout, own })
  }

  /** A table that shall be captured. Tells whether it was not. */
  async add(table: CapturedTable): Promise<boolean> {
    const stored = await readLayouts(this.#transaction, this.#settings.names)
    const ofTable = stored.filter(({ layout }) => layout.table === table.name)
    if (ofTable.some(({ isCurrent }) => isCurrent)) return false
    const version = Math.max(0, ...ofTable.map(({ layout }) => layout.version)) + 1
    await this.#install(table, makeLayout(table, { ...this.#settings, id: nextLayoutId(stored), version }), { isNew: true })
    return true
  }

  /** Its changes since may have gone unseen, unless it is not there any more. */
  async #lose(layout: TableLayout): Promise<void> {
    const { names } = this.#settings
    await retireLayout(this.#transaction, names, layout.id)
    const found = await this.#transaction.query(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`, [layout.table])
    const isDropped = found.length === 0
    await writeMark(this.#transaction, names, { layoutId: layout.id, kind: isDropped ? 'dropped' : 'gap', text: layout.table })
    if (!isDropped) await this.add(await describeCaptured(this.#transaction, names, layout.table))
  }

  async #replace(table: CapturedTable, old: { readonly layout: TableLayout; readonly own: readonly Trigger[] }): Promise<void> {
    const { names } = this.#settings
    for (const trigger of old.own) await this.#transaction.run(`DROP TRIGGER ${quote(trigger.name)}`)
    await retireLayout(this.#transaction, names, old.layout.id)
    if (table.name !== old.layout.table) await writeMark(this.#transaction, names, { layoutId: old.layout.id, kind: 'dropped', text: old.layout.table })
    const id = nextLayoutId(await readLayouts(this.#transaction, names))
    const same = makeLayout(table, { ...this.#settings, id, version: old.layout.version })
    const isNew = !isSameShape(same, old.layout)
    const layout = isNew ? { ...same, version: old.layout.version + 1 } : same
    await this.#install(table, layout, { isNew })
    // A key that is another one now can't be looked for by its old values; whoever follows it hears of the schema.
    if (layout.key.join() !== old.layout.key.join() || layout.rowid !== old.layout.rowid) return
    for (const sql of refreshSql(names, { old: old.layout, current: layout })) await this.#transaction.run(sql, [this.#verified])
  }

  async #install(table: CapturedTable, layout: TableLayout, shape: { readonly isNew: boolean }): Promise<void> {
    const { names, replace } = this.#settings
    const width = Math.max(this.#width, entryWidth(layout))
    await widenLog(this.#transaction, names, { from: this.#width, to: width })
    this.#width = width
    for (const sql of triggerSql(names, layout, notePlan(table, layout, replace))) await this.#transaction.run(sql)
    await writeLayout(this.#transaction, names, { layout, signature: table.signature, isCurrent: true })
    if (shape.isNew) await writeMark(this.#transaction, names, { layoutId: layout.id, kind: 'schema' })
  }
}
