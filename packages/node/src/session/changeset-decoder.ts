import { ChangesetBytes, corrupt, type Cell } from './changeset-bytes.ts'

/** What a changeset says of a table before its changes. */
export interface ChangesetTable {
  readonly name: string
  /** Place in the primary key from 1, 0 outside of it. SQLite before 3.41 says 1 for every key column. */
  readonly keyParts: readonly number[]
}

/**
 * One row's net change. An insert has `after`, a delete has `before`, both whole; an update has its key and the changed columns in
 * `before` and the changed columns in `after`.
 */
export interface ChangesetChange {
  readonly op: 'insert' | 'update' | 'delete'
  /** Made by a trigger or a foreign key's action. */
  readonly isIndirect: boolean
  readonly before: readonly Cell[]
  readonly after: readonly Cell[]
}

/** Receives a table's changes as they are decoded. */
export interface ChangesetVisitor {
  /** Which columns have no affinity; `undefined` passes the table over. */
  onTable(table: ChangesetTable): readonly boolean[] | undefined
  onChange(change: ChangesetChange): void
}

const TABLE = 0x54
const OPS: Readonly<Record<number, ChangesetChange['op']>> = { 9: 'delete', 18: 'insert', 23: 'update' }
/** SQLITE_MAX_COLUMN can be set no higher (sqlite.org, "Limits"). */
const MAX_COLUMNS = 32_767
const NO_CELLS: readonly Cell[] = []

/**
 * Decodes a changeset of SQLite's session extension. Source: sqlite.org, "The Session Extension", sqlite3session_changeset and
 * ext/session/sqlite3session.c, "CHANGESET FORMAT". Errors: `SOURCE_CORRUPT_RESULT` for anything else, whatever the bytes.
 */
export function decodeChangeset(changeset: Uint8Array, visitor: ChangesetVisitor): void {
  const bytes = new ChangesetBytes(changeset)
  while (!bytes.isAtEnd) {
    if (bytes.byte() !== TABLE) throw corrupt('has no table where one is due')
    const table = readTable(bytes)
    readChanges(bytes, { count: table.keyParts.length, wide: visitor.onTable(table), visitor })
  }
}

function readTable(bytes: ChangesetBytes): ChangesetTable {
  const count = bytes.varint()
  if (count === 0 || count > MAX_COLUMNS) throw corrupt('has a table of a width that none has')
  const keyParts = [...bytes.take(count)]
  return { keyParts, name: bytes.name() }
}

interface TableReading {
  readonly count: number
  readonly wide: readonly boolean[] | undefined
  readonly visitor: ChangesetVisitor
}

function readChanges(bytes: ChangesetBytes, { count, wide, visitor }: TableReading): void {
  const record = (): readonly Cell[] => readRecord(bytes, count, wide)
  for (let next = bytes.peek(); next !== undefined && next !== TABLE; next = bytes.peek()) {
    const op = OPS[bytes.byte()]
    if (op === undefined) throw corrupt('has an operation that does not exist')
    const isIndirect = bytes.byte() !== 0
    const before = op === 'insert' ? NO_CELLS : record()
    const after = op === 'delete' ? NO_CELLS : record()
    if (wide !== undefined) visitor.onChange({ op, isIndirect, before, after })
  }
}

function readRecord(bytes: ChangesetBytes, count: number, wide: readonly boolean[] | undefined): readonly Cell[] {
  const cells: Cell[] = []
  for (let index = 0; index < count; index += 1) cells.push(bytes.cell(wide?.[index] ?? false))
  return cells
}
