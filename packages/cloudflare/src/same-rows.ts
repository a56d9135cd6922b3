import type { RowValues } from '@tidemark/core/adapter'

/** Whether two results are alike, in order. Bytes never are: what a transaction reads of the log's own has none. */
export function sameRows(left: readonly RowValues[], right: readonly RowValues[]): boolean {
  return left.length === right.length && left.every((row, index) => sameRow(row, right[index]))
}

function sameRow(left: RowValues, right: RowValues | undefined): boolean {
  return left.length === right?.length && left.every((value, index) => Object.is(value, right[index]))
}
