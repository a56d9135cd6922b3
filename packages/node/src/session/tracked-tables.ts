import type { DatabaseSync } from 'node:sqlite'
import { TidemarkError, type ChangeTable, type SchemaChange } from '@tidemark/core/adapter'
import { quote, quoteTable } from '@tidemark/sqlite'
import { readCapturedTable, type CapturedTable } from './captured-table.ts'
import { RowImages } from './row-images.ts'
import type { TextReading } from './row-reader.ts'
import { oneRow, prepareRaw } from './statements.ts'

/** One captured table; `images` is `undefined` while there is no such table. */
interface Tracked {
  readonly wanted: string
  readonly marker: string
  readonly version: number
  readonly images: RowImages | undefined
}

/** What a look at the schema found. Nothing is taken over before `adopt`: the transaction may yet be rolled back. */
export interface SchemaLook {
  readonly tracked: readonly Tracked[]
  readonly schemas: readonly SchemaChange[]
  /** Whether a table is another one than before: how its rows came to be there was not recorded. */
  readonly isReplaced: boolean
  /** Tables whose columns changed otherwise than by added ones, so that older records fit neither. */
  readonly reshaped: ReadonlySet<string>
}

let markers = 0

/**
 * The captured tables and their columns. Each table carries a mark by which a table that was dropped and made anew, or renamed
 * into place, is told from one that was altered: a TEMP trigger that never fires. It goes with the table, follows its renaming, and is
 * seen by this connection only.
 */
export class TrackedTables {
  readonly #database: DatabaseSync
  readonly #text: TextReading
  readonly #findMarker: ReturnType<typeof prepareRaw>
  #tracked: readonly Tracked[]

  /** Errors: `TABLE_UNKNOWN`, `TABLE_NOT_CAPTURABLE`. */
  constructor(database: DatabaseSync, wanted: readonly string[], text: TextReading) {
    this.#database = database
    this.#text = text
    this.#findMarker = prepareRaw(database, 'SELECT tbl_name FROM temp.sqlite_master WHERE type = \'trigger\' AND name = ?')
    this.#tracked = wanted.map((name) => {
      const table = readCapturedTable(database, name)
      if (table === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The database has no table '${name}'.`)
      return { wanted: name, marker: `tidemark_mark_${markers += 1}`, version: 1, images: this.#images(table, 1) }
    })
  }

  get tables(): readonly ChangeTable[] {
    return this.#tracked.flatMap(({ images, version }) => images === undefined ? [] : [{
      schema: 'main', name: images.table.name, columns: images.table.columns, key: images.table.key, version,
    }])
  }

  /** As adopted last; never changed in place. */
  get tracked(): SchemaLook['tracked'] {
    return this.#tracked
  }

  /** By the name that the catalogue or a user gives it. */
  find(name: string): RowImages | undefined {
    return findIn(this.#tracked, name)
  }

  version(name: string): number {
    return this.#tracked.find(({ wanted }) => isSameName(wanted, name))?.version ?? 0
  }

  look(): SchemaLook {
    const schemas: SchemaChange[] = []
    const reshaped = new Set<string>()
    let isReplaced = false
    const tracked = this.#tracked.map((one) => {
      const now = this.#readAgain(one.wanted)
      const before = one.images?.table
      if (now !== undefined && (before === undefined || !this.#isMarked(one.marker, now.name))) isReplaced = true
      if (hasSameShape(before, now)) return one
      if (!isExtended(before, now)) reshaped.add(one.wanted.toLowerCase())
      const version = one.version + 1
      schemas.push({ type: 'schema', schema: 'main', table: now?.name ?? before?.name ?? one.wanted, columns: now?.columns, key: now?.key ?? [], version })
      return { ...one, version, images: now === undefined ? undefined : this.#images(now, version) }
    })
    return { tracked, schemas, isReplaced, reshaped }
  }

  adopt(look: SchemaLook): void {
    const stale = this.#tracked.filter((one) => !look.tracked.includes(one))
    this.#tracked = look.tracked
    for (const { images } of stale) images?.close()
    this.mark()
  }

  /** Outside of a transaction that may be rolled back, or the mark goes with it and a gap is reported. */
  mark(): void {
    for (const { marker, images } of this.#tracked) {
      if (images === undefined || this.#isMarked(marker, images.table.name)) continue
      const [key = ''] = images.table.key
      this.#database.exec(`DROP TRIGGER IF EXISTS temp.${quote(marker)}; CREATE TEMP TRIGGER ${quote(marker)} AFTER UPDATE OF ${quote(key)}
        ON ${quoteTable({ schema: 'main', name: images.table.name })} WHEN 0 BEGIN SELECT 1; END`)
    }
  }

  close(): void {
    for (const { marker, images } of this.#tracked) {
      images?.close()
      if (this.#database.isOpen) this.#database.exec(`DROP TRIGGER IF EXISTS temp.${quote(marker)}`)
    }
  }

  #images(table: CapturedTable, version: number): RowImages {
    return new RowImages(this.#database, table, { version, text: this.#text })
  }

  #isMarked(marker: string, table: string): boolean {
    const [name] = oneRow(this.#findMarker, [marker]) ?? []
    return typeof name === 'string' && isSameName(name, table)
  }

  #readAgain(wanted: string): CapturedTable | undefined {
    try {
      return readCapturedTable(this.#database, wanted)
    } catch (error) {
      // The name now belongs to something without changes to record: for the stream the table is gone.
      if (error instanceof TidemarkError && error.code === 'TABLE_NOT_CAPTURABLE') return undefined
      throw error
    }
  }
}

export function findIn(tracked: SchemaLook['tracked'], name: string): RowImages | undefined {
  return tracked.find(({ wanted }) => isSameName(wanted, name))?.images
}

/** SQLite compares names without regard to the case of ASCII letters. */
function isSameName(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase()
}

function hasSameShape(before: CapturedTable | undefined, now: CapturedTable | undefined): boolean {
  const shape = (table: CapturedTable | undefined): string => JSON.stringify(table === undefined ? null : [table.name, table.columns, table.key])
  return shape(before) === shape(now)
}

/** Records made under `before` fit `now`: its columns come first, and a session gives the added ones their values. */
function isExtended(before: CapturedTable | undefined, now: CapturedTable | undefined): boolean {
  if (before === undefined || now === undefined) return false
  return before.stored.every((name, index) => now.stored[index] === name) && JSON.stringify(before.key) === JSON.stringify(now.key)
}
