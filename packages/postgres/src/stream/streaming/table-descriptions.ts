import type { StreamItem } from '../replication-stream.ts'

export type DataItem = Extract<StreamItem, { readonly kind: 'data' }>

/** A Relation message, as it would come in protocol 1. */
interface Description {
  readonly item: DataItem
  /** The how-manieth one of this stream it is. */
  readonly arrival: number
  /** Whether the reader has it, and no other one of the table since. */
  readonly isTold: boolean
}

const UPDATE = 0x55
const INSERT = 0x49
const DELETE = 0x44
const TRUNCATE = 0x54
const ID_BYTES = 4
/** Of a truncate: kind, number of tables, flags. */
const TRUNCATED_FROM = 6

/**
 * How the stream has described its tables. The server describes a table once for all transactions that it sends whole, and once for each that it sends
 * in pieces; the one that it described last, of those that have been committed, holds from then on. A description that was part of what a transaction
 * took back is passed on only when a change comes that needs it.
 */
export class TableDescriptions {
  readonly #known = new Map<number, Description>()
  readonly #untold = new Set<number>()
  /** Tables of which a description was passed on. */
  readonly #touched = new Set<number>()

  /** A table is described. `isTold`: the message is passed on by the caller. */
  note(item: DataItem, { arrival, isTold }: Pick<Description, 'arrival' | 'isTold'>): void {
    this.#set(idAt(item, 1), { item, arrival, isTold })
  }

  /** With what has to be told before it; `undefined` where that is nothing. */
  before(item: DataItem): readonly DataItem[] | undefined {
    if (this.#untold.size === 0) return undefined
    const owed = tablesOf(item).filter((id) => this.#untold.has(id)).flatMap((id) => {
      const known = this.#known.get(id)
      if (known === undefined) return []
      this.#set(id, { ...known, isTold: true })
      return [known.item]
    })
    return owed.length === 0 ? undefined : [...owed, item]
  }

  /** A transaction that described tables on its own is committed. */
  merge(other: TableDescriptions): void {
    for (const [id, theirs] of other.#known) {
      const ours = this.#known.get(id)
      if (ours === undefined || ours.arrival < theirs.arrival) this.#set(id, theirs)
      // The reader has an older one now.
      else if (other.#touched.has(id)) this.#set(id, { ...ours, isTold: false })
    }
  }

  #set(id: number, description: Description): void {
    this.#known.set(id, description)
    if (description.isTold) {
      this.#untold.delete(id)
      this.#touched.add(id)
    } else this.#untold.add(id)
  }
}

/** The tables that a change is of. One that is cut short is for the decoder to refuse. */
function tablesOf(item: DataItem): readonly number[] {
  switch (item.bytes[item.from]) {
    case INSERT: case UPDATE: case DELETE: return item.to - item.from > ID_BYTES ? [idAt(item, 1)] : []
    case TRUNCATE: {
      const count = Math.max(0, Math.floor((item.to - item.from - TRUNCATED_FROM) / ID_BYTES))
      return Array.from({ length: count }, (_, index) => idAt(item, TRUNCATED_FROM + index * ID_BYTES))
    }
    default: return []
  }
}

function idAt({ bytes, from }: DataItem, place: number): number {
  return bytes.readUInt32BE(from + place)
}

/** In a buffer of its own. */
export function copied({ bytes, from, to }: DataItem): DataItem {
  return { kind: 'data', bytes: Buffer.from(bytes.subarray(from, to)), from: 0, to: to - from }
}
