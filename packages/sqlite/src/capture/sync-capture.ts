import { TidemarkError } from '@tidemark/core/adapter'
import type { BatchTransaction } from '../driver.ts'
import { quote } from '../quote.ts'
import type { CapturedTable } from './captured-table.ts'
import { nextLayoutId, retireLayout, writeLayout, type StoredLayout } from './layouts.ts'
import type { LogNames } from './log-names.ts'
import { createLogTables, FIRST_WIDTH, widenLog, writeMark } from './log-schema.ts'
import { isSameShape, makeLayout } from './make-layout.ts'
import { notePlan, type ReplacePolicy } from './note-plan.ts'
import { readCapture, type FollowedLayout, type FoundCapture } from './read-capture.ts'
import { refreshSql } from './refresh-sql.ts'
import type { SchemaWatch } from './schema-watch.ts'
import { entryWidth, type TableLayout } from './table-layout.ts'
import { triggerSql } from './trigger-sql.ts'
import { resetWatch } from './vacuum-watch.ts'

export interface CaptureSettings {
  readonly names: LogNames
  readonly replace: ReplacePolicy
  readonly maxColumns: number
  readonly hasSmallRows: boolean
  readonly watch: SchemaWatch
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

export interface SyncedCapture {
  /**
   * Captured tables of whose rows nothing is known: those that were captured once, were gone, and are there again, and after VACUUM
   * those whose rows are told by numbers which it may have changed.
   */
  readonly unknown: readonly TableLayout[]
  /** The schema's version, which everything fits; `undefined` when something had to be changed: then it is another one since. */
  readonly schemaVersion: number | undefined
}

/**
 * Brings triggers and layouts in line with the tables as they are, in the caller's write transaction: so no write comes between.
 * Reads first, then writes. Costs a few catalogue queries per table when nothing has changed.
 *
 * Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`, `LOG_NOT_OWNED`, `STATE_NEWER`; nothing is changed then.
 */
export async function syncCapture(transaction: BatchTransaction, settings: CaptureSettings, request: SyncRequest): Promise<SyncedCapture> {
  const { names, watch } = settings
  const found = await readCapture(transaction, names, { ...request, watch })
  if (!request.isRunning) requireTables(request.tables, found)
  const sync = new CaptureSync(transaction, settings, { found, verified: Math.max(request.verified, found.verified) })
  if (found.log === undefined) await createLogTables(transaction, names, request.epoch)
  for (const followed of found.followed) await sync.follow(followed)
  if (found.hasVacuumed) await resetWatch(transaction, names)
  const unknown = new Set(found.hasVacuumed ? found.layouts.filter(({ isCurrent, layout }) => isCurrent && layout.rowid !== undefined).map(({ layout }) => layout.table) : [])
  for (const table of found.wanted) if (await sync.add(table) && found.layouts.some(({ layout }) => layout.table === table.name)) unknown.add(table.name)
  await transaction.run(`UPDATE ${names.meta} SET value = (SELECT max(seq) FROM ${names.log}) WHERE key = 'verified'`)
  const isChanged = sync.isChanged || found.schemaVersion < 0
  if (isChanged) for (const sql of watch.keepSql) await transaction.run(sql)
  return { unknown: [...unknown].flatMap((table) => sync.current(table) ?? []), schemaVersion: isChanged ? undefined : found.schemaVersion }
}

/** A log of no table would look like that of a database which nobody writes to. */
function requireTables(named: readonly string[], { layouts }: FoundCapture): void {
  if (named.length > 0 || layouts.some(({ isCurrent }) => isCurrent)) return
  throw new TidemarkError('TABLE_UNKNOWN', 'The source names no table, and none is captured.', { remedy: 'Name those to capture: sqliteChanges(db, { tables: [...] }).' })
}

class CaptureSync {
  readonly #transaction: BatchTransaction
  readonly #settings: CaptureSettings
  readonly #found: FoundCapture
  readonly #verified: number
  /** As they will be when everything is written. */
  #layouts: readonly StoredLayout[]
  #width: number
  #isChanged: boolean

  constructor(transaction: BatchTransaction, settings: CaptureSettings, state: { readonly found: FoundCapture; readonly verified: number }) {
    this.#transaction = transaction
    this.#settings = settings
    this.#found = state.found
    this.#layouts = state.found.layouts
    this.#width = state.found.log?.width ?? FIRST_WIDTH
    this.#isChanged = state.found.log === undefined
    this.#verified = state.verified
  }

  /** Whether the schema is another one than it was. */
  get isChanged(): boolean {
    return this.#isChanged
  }

  current(table: string): TableLayout | undefined {
    return this.#layouts.find(({ layout, isCurrent }) => isCurrent && layout.table === table)?.layout
  }

  /** A table that has triggers, or had. */
  async follow({ stored, triggers, table }: FollowedLayout): Promise<void> {
    const { layout, signature } = stored
    // A table takes its triggers along when it is renamed and down when it is dropped, also to be made anew.
    if (triggers.length === 0 || table === undefined) return this.#lose(layout, table)
    const last = this.#found.triggers.findLast((trigger) => trigger.table === triggers[0]?.table && (trigger.isUsers || trigger.layoutId === layout.id))
    const isWhole = triggers.length === triggerSql(this.#settings.names, layout, notePlan(table, layout, this.#settings.replace)).length
    // A trigger of the user's that was made after ours fires before them, and what it changes would be logged first.
    if (table.signature === signature && isWhole && last?.layoutId === layout.id) return
    await this.#replace(table, { layout, triggers })
  }

  /** A table that shall be captured. Tells whether it was not. */
  async add(table: CapturedTable): Promise<boolean> {
    const ofTable = this.#layouts.filter(({ layout }) => layout.table === table.name)
    if (ofTable.some(({ isCurrent }) => isCurrent)) return false
    const version = Math.max(0, ...ofTable.map(({ layout }) => layout.version)) + 1
    await this.#install(table, makeLayout(table, { ...this.#settings, id: nextLayoutId(this.#layouts), version }), { isNew: true })
    return true
  }

  /** Its changes since may have gone unseen, unless it is not there any more. */
  async #lose(layout: TableLayout, table: CapturedTable | undefined): Promise<void> {
    await this.#retire(layout)
    await writeMark(this.#transaction, this.#settings.names, { layoutId: layout.id, kind: table === undefined ? 'dropped' : 'gap', text: layout.table })
    if (table !== undefined) await this.add(table)
  }

  async #replace(table: CapturedTable, old: { readonly layout: TableLayout; readonly triggers: FollowedLayout['triggers'] }): Promise<void> {
    const { names } = this.#settings
    for (const trigger of old.triggers) await this.#transaction.run(`DROP TRIGGER ${quote(trigger.name)}`)
    await this.#retire(old.layout)
    if (table.name !== old.layout.table) await writeMark(this.#transaction, names, { layoutId: old.layout.id, kind: 'dropped', text: old.layout.table })
    const same = makeLayout(table, { ...this.#settings, id: nextLayoutId(this.#layouts), version: old.layout.version })
    const isNew = !isSameShape(same, old.layout)
    const layout = isNew ? { ...same, version: old.layout.version + 1 } : same
    await this.#install(table, layout, { isNew })
    // A key that is another one now can't be looked for by its old values; whoever follows it hears of the schema.
    if (layout.key.join() !== old.layout.key.join() || layout.rowid !== old.layout.rowid) return
    for (const sql of refreshSql(names, { old: old.layout, current: layout })) await this.#transaction.run(sql, [this.#verified])
  }

  async #retire(layout: TableLayout): Promise<void> {
    this.#isChanged = true
    this.#layouts = this.#layouts.map((stored) => (stored.layout.id === layout.id ? { ...stored, isCurrent: false } : stored))
    await retireLayout(this.#transaction, this.#settings.names, layout.id)
  }

  async #install(table: CapturedTable, layout: TableLayout, shape: { readonly isNew: boolean }): Promise<void> {
    const { names, replace } = this.#settings
    const width = Math.max(this.#width, entryWidth(layout))
    await widenLog(this.#transaction, names, { from: this.#width, to: width })
    this.#width = width
    for (const sql of triggerSql(names, layout, notePlan(table, layout, replace))) await this.#transaction.run(sql)
    const stored = { layout, signature: table.signature, isCurrent: true }
    this.#layouts = [...this.#layouts, stored]
    this.#isChanged = true
    await writeLayout(this.#transaction, names, stored)
    if (shape.isNew) await writeMark(this.#transaction, names, { layoutId: layout.id, kind: 'schema' })
  }
}
