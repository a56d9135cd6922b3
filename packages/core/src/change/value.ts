/**
 * The only values that cross a seam. Adapters convert; core never sees a driver's type.
 *
 * A `number` is either a safe integer or a finite float; larger integers are `bigint`. NaN and the infinities
 * never appear: a codec has turned them into text, NULL or an error before.
 *
 * Where a column is stored as `blob`, and so without affinity, 1 and 1.0 are different cells: there an integer of any size is
 * a `bigint`, and a `number` is stored as a float.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array

/** One row, in the order of the columns asked for. */
export type RowValues = readonly Value[]
