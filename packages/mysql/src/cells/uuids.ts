import type { ColumnSchema } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'
import { unrepresentable } from './unrepresentable.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/u
const UUID_BYTES = 16
const UUID_CHARACTERS = 36

/** CHAR(36) or MariaDB's UUID, whatever its letter case. */
export function uuidFromText(column: ColumnSchema): CellDecoder {
  const notAUuid = unrepresentable(column)
  return (bytes, start, end, sink) => {
    const text = bytes.toString('latin1', start, end).toLowerCase()
    if (!UUID.test(text)) notAUuid(bytes, start, end, sink)
    else if (column.logicalType === 'uuid') sink.text(Buffer.from(text, 'latin1'), 0, UUID_CHARACTERS)
    else sink.blob(Buffer.from(text.replaceAll('-', ''), 'hex'), 0, UUID_BYTES)
  }
}

/** BINARY(16) in the order of the text; `UUID_TO_BIN(…, 1)` swaps groups, and what it wrote is not told from the rest. */
export function uuidFromBytes(column: ColumnSchema): CellDecoder {
  const notAUuid = unrepresentable(column)
  return (bytes, start, end, sink) => {
    if (end - start !== UUID_BYTES) notAUuid(bytes, start, end, sink)
    else if (column.logicalType === 'uuid-blob') sink.blob(bytes, start, end)
    else sink.text(Buffer.from(hyphenate(bytes.toString('hex', start, end)), 'latin1'), 0, UUID_CHARACTERS)
  }
}

function hyphenate(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
