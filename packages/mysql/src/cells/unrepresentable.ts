import { TidemarkError, type ColumnSchema } from '@tidemark/core/adapter'
import type { CellDecoder } from '../cell-decoder.ts'

/** What the column's policy does with a value that has no exact form. The value itself is never quoted. */
export function unrepresentable(column: ColumnSchema): CellDecoder {
  const { name, onUnrepresentable } = column
  switch (onUnrepresentable) {
    case 'null':
      return (_bytes, _start, _end, sink) => sink.null()
    case 'text':
      return (bytes, start, end, sink) => sink.text(bytes, start, end)
    case 'error':
      return () => {
        throw new TidemarkError('VALUE_UNREPRESENTABLE', `Column ${name} (${column.sourceType}) has a value that can't be stored as ${column.logicalType}.`)
      }
    default:
      return onUnrepresentable satisfies never
  }
}
