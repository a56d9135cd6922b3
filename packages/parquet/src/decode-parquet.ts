import { TidemarkError, type DecodedRows, type ManifestTable, type RowValues, type Value } from '@tidemark/core/adapter'
import { parquetMetadata, parquetRead, type FileMetaData } from 'hyparquet/src/index.js'
import { KINDS, type Column, type KindName, type Physical } from './column-kind.ts'
import { FILE_NOTE, parseFileNote, type FileNote } from './file-note.ts'

const BATCH_ROWS = 1_000

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Raw, so that a value is made from what is stored and nothing else. */
const PARSERS = {
  timestampFromMicroseconds: (micros: bigint) => micros,
  dateFromDays: (days: number) => days,
  stringFromBytes: (bytes: Uint8Array) => utf8.decode(bytes),
}

/**
 * Holds the whole file, and the rows of one of its groups. What bytes damaged on purpose do to the library is not known: those of a dump have had their
 * digest compared before. Errors: `DUMP_CORRUPT`.
 */
export async function* decodeParquet(table: ManifestTable, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<DecodedRows> {
  // What comes from outside fails as it does; from here on every error is the file's.
  const file = await collect(bytes)
  let done = 0
  try {
    for await (const rows of rowsOf(file, table)) {
      yield { rows }
      done += rows.length
    }
  } catch {
    throw new TidemarkError('DUMP_CORRUPT', `An object of '${table.name}' can't be decoded from row ${done + 1} on. It is no Parquet file of this table.`, { detail: `${table.name}#${done + 1}` })
  }
}

async function* rowsOf(file: ArrayBuffer, table: ManifestTable): AsyncGenerator<readonly RowValues[]> {
  const metadata = parquetMetadata(file, { geoparquet: false })
  const note = requireNote(metadata, table)
  let rowStart = 0
  for (const { num_rows: groupRows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(groupRows)
    const group = await readCells(file, { metadata, rowStart, rowEnd })
    for (let at = 0; at < group.length; at += BATCH_ROWS) yield group.slice(at, at + BATCH_ROWS).map((cells) => toRow(cells, table, note.kinds))
    rowStart = rowEnd
  }
  if (rowStart === note.rows) return
  if (table.columns.length > 0) throw new RangeError('Rows are missing.')
  for (let at = 0; at < note.rows; at += BATCH_ROWS) yield Array.from({ length: Math.min(BATCH_ROWS, note.rows - at) }, () => [])
}

function requireNote({ schema, key_value_metadata: notes }: FileMetaData, { columns }: ManifestTable): FileNote {
  const note = parseFileNote(notes?.find(({ key }) => key === FILE_NOTE)?.value)
  const names = schema.slice(1).map(({ name }) => name)
  if (note === undefined || note.kinds.length !== columns.length) throw new RangeError('There is no note.')
  if (names.length !== columns.length || columns.some(({ name }, index) => name !== names[index])) throw new RangeError('Its columns are others.')
  return note
}

async function readCells(file: ArrayBuffer, range: { readonly metadata: FileMetaData; readonly rowStart: number; readonly rowEnd: number }): Promise<readonly (readonly Physical[])[]> {
  let cells: readonly (readonly Physical[])[] = []
  await parquetRead({
    ...range, file, utf8: false, parsers: PARSERS,
    onComplete: (rows: Physical[][]) => {
      cells = rows
    },
  })
  return cells
}

function toRow(cells: readonly Physical[], { columns }: ManifestTable, kinds: readonly KindName[]): RowValues {
  return columns.map((column, index) => toValue(cells[index], column, kinds[index] ?? 'json'))
}

function toValue(cell: Physical, column: Column, kind: KindName): Value {
  if (cell === null || cell === undefined) return null
  const value = KINDS[kind].decode(cell, column)
  if (value === undefined) throw new RangeError('A cell is no value.')
  return value
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<ArrayBuffer> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of source) {
    pieces.push(piece)
    length += piece.length
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole.buffer
}
