import { writeVarint, varintBytes } from './varint.ts'

export interface SchemaRow {
  readonly name: string
  readonly rootPage: number
  readonly sql: string
}

/** Serial type of a four-byte integer. */
const INT32_TYPE = 4
/** Serial type of an empty text; two more per byte. */
const TEXT_TYPE = 13

/** The leaf cell of a table's sqlite_schema row (type, name, tbl_name, rootpage, sql), with rowid 1. All texts are ASCII. */
export function schemaCell(row: SchemaRow): Uint8Array {
  const texts = ['table', row.name, row.name]
  const types = [...texts.map((text) => TEXT_TYPE + 2 * text.length), INT32_TYPE, TEXT_TYPE + 2 * row.sql.length]
  const headerBytes = 1 + types.reduce((sum, type) => sum + varintBytes(type), 0)
  const payloadBytes = headerBytes + texts.join('').length + 4 + row.sql.length
  const cell = new Uint8Array(varintBytes(payloadBytes) + 1 + payloadBytes)
  let at = writeVarint(cell, 0, payloadBytes)
  at = writeVarint(cell, at, 1)
  at = writeVarint(cell, at, headerBytes)
  for (const type of types) at = writeVarint(cell, at, type)
  at = putAscii(cell, at, texts.join(''))
  new DataView(cell.buffer).setUint32(at, row.rootPage)
  putAscii(cell, at + 4, row.sql)
  return cell
}

function putAscii(into: Uint8Array, at: number, text: string): number {
  for (let index = 0; index < text.length; index += 1) into[at + index] = text.charCodeAt(index)
  return at + text.length
}
