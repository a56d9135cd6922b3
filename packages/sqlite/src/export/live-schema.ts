import { TidemarkError, type RowValues } from '@tidemark/core/adapter'
import type { ExportSchema } from './read-export-schema.ts'
import { TRIGGERS_PER_TABLE, triggersSql } from './undo/undo-log.ts'

export interface LiveSchemaOptions {
  readonly read: () => Promise<ExportSchema>
  /** Whether the host does not tell the version of the schema; it is compared by its text then. */
  readonly hidesFile: boolean
  /** Of a view whose triggers must all be there. */
  readonly viewId: string | undefined
}

/** Watches whether tables that may be altered at any time are still those of the plan. */
export class LiveSchema {
  readonly #options: LiveSchemaOptions
  #schema: ExportSchema | undefined
  #mark: unknown

  constructor(options: LiveSchemaOptions) {
    this.#options = options
  }

  /** What changes with the schema, and how many triggers of the view there are. To be read together with what depends on them. */
  get marksSql(): string {
    const { hidesFile, viewId } = this.#options
    const mark = hidesFile ? `(SELECT group_concat(type || ' ' || name || ' ' || ifnull(sql, ''), char(10)) FROM main.sqlite_schema)` : '(SELECT schema_version FROM pragma_schema_version)'
    return `SELECT ${mark} AS mark, (${viewId === undefined ? 'SELECT 0' : triggersSql(viewId)}) AS triggers`
  }

  async open(query: (sql: string) => Promise<readonly RowValues[]>): Promise<ExportSchema> {
    const marks = await query(this.marksSql)
    if (this.#options.viewId !== undefined && Number(marks[0]?.[1]) === 0) throw new TidemarkError('SNAPSHOT_LOST', 'The old images of the rows are gone.')
    this.#schema = await this.#options.read()
    this.#mark = marks[0]?.[0]
    this.#requireTriggers(marks)
    return this.#schema
  }

  /** Any change of the schema has it looked at again; one that is of no table in the dump is none. Errors: `SCHEMA_CHANGED`. */
  async require(marks: readonly RowValues[]): Promise<void> {
    this.#requireTriggers(marks)
    const [mark] = marks[0] ?? []
    if (String(mark) === String(this.#mark)) return
    const { plan } = await this.#options.read().catch(asChange)
    // VACUUM counts as a change, and numbers rows anew where no column keeps their numbers.
    if (plan.schemaHash !== this.#schema?.plan.schemaHash || this.#isNumberedAnew()) throw changed()
    this.#mark = mark
  }

  #isNumberedAnew(): boolean {
    return this.#options.viewId !== undefined && !this.#options.hidesFile && (this.#schema?.tables.some(({ rowid }) => rowid !== undefined) ?? false)
  }

  #requireTriggers(marks: readonly RowValues[]): void {
    if (this.#options.viewId === undefined) return
    if (Number(marks[0]?.[1]) !== (this.#schema?.tables.length ?? 0) * TRIGGERS_PER_TABLE) throw changed()
  }
}

function asChange(error: unknown): never {
  throw error instanceof TidemarkError && (error.code === 'TABLE_UNKNOWN' || error.code === 'NOTHING_SELECTED') ? changed() : error
}


function changed(): TidemarkError {
  return new TidemarkError('SCHEMA_CHANGED', 'A table of the export was changed or dropped while it was read.')
}
