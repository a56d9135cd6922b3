import { ChangesetBytes, corrupt, type Cell } from './changeset-bytes.ts'

export type ChangesetOp = 'insert' | 'update' | 'delete'

/** What a changeset says of a table before its changes. */
export interface ChangesetTable {
  readonly name: string
  /** Place in the primary key from 1, 0 outside of it. Older SQLite says 1 for every key column. */
  readonly keyParts: readonly number[]
}

/**
 * One row's net change. An insert has `after`, a delete has `before`, both whole; an update has its key and the changed columns in
 * `before` and the changed columns in `after`.
 */
export interface ChangesetChange {
  readonly op: ChangesetOp
  /** Made by a trigger or a foreign key's action. */
  readonly isIndirect: boolean
  readonly before: readonly Cell[]
  readonly after: readonly Cell[]
}

/** Which columns of a table have no affinity; `undefined` passes the table over. */
export type UntypedColumns = (table: ChangesetTable) => readonly boolean[] | undefined

const TABLE = 0x54
const OPS: Readonly<Record<number, ChangesetOp>> = { 9: 'delete', 18: 'insert', 23: 'update' }
/** SQLITE_MAX_COLUMN can be set no higher (sqlite.org, "Limits"). */
const MAX_COLUMNS = 32_767
const NO_CELLS: readonly Cell[] = []

/**
 * Decodes a changeset of SQLite's session extension, one change a call, so that a large one never stands in memory as objects.
 * Source: sqlite.org, "The Session Extension", and ext/session/sqlite3session.c, "CHANGESET FORMAT".
 */
export class ChangesetReader {
  readonly #bytes: ChangesetBytes
  readonly #untypedColumns: UntypedColumns
  #count = 0
  #untyped: readonly boolean[] | undefined
  readonly #passed = { insert: 0, update: 0, delete: 0 }

  constructor(changeset: Uint8Array, untypedColumns: UntypedColumns) {
    this.#bytes = new ChangesetBytes(changeset)
    this.#untypedColumns = untypedColumns
  }

  /** Changes of wanted tables whose operation was not the one asked for. */
  get passed(): Readonly<Record<ChangesetOp, number>> {
    return this.#passed
  }

  /** The next change of this operation, or of any; `undefined` at the end. Errors: `SOURCE_CORRUPT_RESULT` for whatever is no changeset. */
  next(wanted?: ChangesetOp): ChangesetChange | undefined {
    while (!this.#bytes.isAtEnd) {
      const code = this.#bytes.byte()
      if (code === TABLE) {
        this.#beginTable()
        continue
      }
      const op = this.#count === 0 ? undefined : OPS[code]
      if (op === undefined) throw corrupt('has neither a table nor an operation where one is due')
      const isIndirect = this.#bytes.byte() !== 0
      if (this.#untyped !== undefined && (wanted === undefined || op === wanted)) return this.#change(op, isIndirect)
      if (this.#untyped !== undefined) this.#passed[op] += 1
      this.#pass(op)
    }
    return undefined
  }

  #beginTable(): void {
    const count = this.#bytes.varint()
    if (count === 0 || count > MAX_COLUMNS) throw corrupt('has a table of a width that none has')
    const keyParts = [...this.#bytes.take(count)]
    this.#count = count
    this.#untyped = this.#untypedColumns({ keyParts, name: this.#bytes.name() })
  }

  #change(op: ChangesetOp, isIndirect: boolean): ChangesetChange {
    const before = op === 'insert' ? NO_CELLS : this.#record()
    const after = op === 'delete' ? NO_CELLS : this.#record()
    return { op, isIndirect, before, after }
  }

  #record(): readonly Cell[] {
    const cells: Cell[] = []
    for (let index = 0; index < this.#count; index += 1) cells.push(this.#bytes.cell(this.#untyped?.[index] ?? false))
    return cells
  }

  #pass(op: ChangesetOp): void {
    const cells = op === 'update' ? 2 * this.#count : this.#count
    for (let index = 0; index < cells; index += 1) this.#bytes.skipCell()
  }
}
