import type { ChangeColumn } from '@tidemark/core/adapter'
import type { DecodedRelation, ValueReader } from './pgoutput-messages.ts'

/** A table with everything that making its events needs, found out once. */
export interface StreamTable extends DecodedRelation {
  readonly id: number
  readonly schema: string
  readonly table: string
  /** `false`: another table of the publication, whose changes are passed over. */
  readonly isCaptured: boolean
  readonly names: readonly string[]
  readonly readers: readonly ValueReader[]
  /** Places of the key's columns; empty where there is no key. */
  readonly key: readonly number[]
  /** Places of the columns that an old row of kind `key` has. */
  readonly identity: readonly number[]
  readonly columns: readonly ChangeColumn[]
  readonly version: number
}

export function keyNames(table: StreamTable): readonly string[] {
  return table.key.map((place) => table.names[place] ?? '')
}
