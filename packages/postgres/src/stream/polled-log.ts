import { TidemarkError, type AbortOptions } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import type { Lsn } from './lsn.ts'
import { peekStatement, readPeeked, type Peeked } from './peek-statement.ts'
import { gap, orSlotBusy } from './replication-slot.ts'
import type { StreamItem } from './replication-stream.ts'

export interface PolledLogOptions {
  readonly session: SqlSession
  readonly slot: string
  readonly publication: string
  /** Whether messages of programs are wanted. */
  readonly hasMessages: boolean
  /** Greatest look at the log; one change alone is never too much. */
  readonly maxRows: number
  readonly maxBytes: number
  /** Where the slot stands. */
  readonly confirmed: Lsn
}

/** What a look has found out. */
export type Looked = 'moved' | 'more' | 'all'

/** Behind a row's place, how many rows come before it from the slot's place on. */
interface Mark {
  readonly lsn: Lsn
  readonly rows: number
}

const RELATION = 0x52
const TYPE = 0x59
const COMMIT = 0x43
const MESSAGE = 0x4d
/** Of a commit: kind, flags, where its record begins, where it ends. */
const COMMIT_END = 10
/** Of a message: kind, flags, 0 for one of no transaction, where its record ends. */
const MESSAGE_END = 2
const LENGTH_BYTES = 4
/** Room for messages that are no rows. */
const SPARE = 256

/**
 * The log from where a slot stands on, a bounded piece at a time. A look does not move the slot: the server reads again from there each time, and what was taken
 * before is skipped at the server. A transaction that is larger than a look comes in pieces, for each of which the server reads all of it.
 */
export class PolledLog {
  readonly #options: PolledLogOptions
  #confirmed: Lsn
  #skip = 0
  #upTo: number
  /** The row that was taken last, to see that rows are counted as before. */
  #last: string | undefined
  #marks: Mark[] = []
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  /** Everything before here has been seen, once the bytes are read. */
  #reached: Lsn | undefined

  constructor(options: PolledLogOptions) {
    this.#options = options
    this.#confirmed = options.confirmed
    this.#upTo = options.maxRows + SPARE
  }

  get confirmed(): Lsn {
    return this.#confirmed
  }

  get isEmpty(): boolean {
    return this.#at >= this.#bytes.length && this.#reached === undefined
  }

  /** Whether the last look has brought messages that are not all read. */
  get hasRows(): boolean {
    return this.#at < this.#bytes.length
  }

  /**
   * One query. `moved`: the slot is not where it was left, nothing was taken. `more`: there is more to take. Errors: `CHANGE_GAP`, `SOURCE_*`.
   */
  async look(origin: { readonly systemId: string; readonly timeline: string }, options: AbortOptions): Promise<Looked> {
    const { session, slot, publication, hasMessages, maxRows, maxBytes } = this.#options
    const peeked = await peek(session, { slot, publication, hasMessages, maxRows, maxBytes, skip: this.#skip, upTo: this.#upTo }, options)
    if (peeked.system !== origin.systemId || peeked.timeline !== origin.timeline) throw gap('source-changed')
    if (peeked.confirmed !== this.#confirmed || (this.#last !== undefined && this.#skip > 0 && peeked.anchor !== this.#last)) return 'moved'
    return this.#take(peeked)
  }

  /** The next message; then how far the log has been seen; then nothing until the next look. */
  next(): StreamItem | undefined {
    if (this.#at < this.#bytes.length) {
      const from = this.#at + LENGTH_BYTES
      this.#at = from + this.#bytes.readInt32BE(this.#at)
      return { kind: 'data', bytes: this.#bytes, from, to: this.#at }
    }
    const lsn = this.#reached
    this.#reached = undefined
    this.#bytes = Buffer.alloc(0)
    this.#at = 0
    return lsn === undefined ? undefined : { kind: 'reached', lsn }
  }

  /** The slot was moved to here, a place that this log has given. */
  moved(lsn: Lsn): void {
    const mark = this.#marks.findLast((candidate) => candidate.lsn <= lsn)
    const rows = mark?.rows ?? 0
    this.#confirmed = lsn
    this.#skip -= rows
    this.#upTo = this.#skip + this.#options.maxRows + SPARE
    this.#marks = this.#marks.filter((candidate) => candidate.lsn > lsn).map((candidate) => ({ lsn: candidate.lsn, rows: candidate.rows - rows }))
  }

  #take(peeked: Peeked): Looked {
    const { maxRows } = this.#options
    this.#bytes = peeked.messages
    this.#at = 0
    this.#skip = this.#note(peeked.messages)
    if (peeked.last !== null) this.#last = peeked.last
    const isAll = !peeked.hasRest && peeked.returned < this.#upTo
    // Where all were messages that describe tables, or were taken before, a longer look is needed.
    this.#upTo = isAll || peeked.taken > 0 ? this.#skip + maxRows + SPARE : this.#upTo * 2
    // A place between two records, durable, and read before the log was: every commit before it was seen.
    if (isAll && peeked.flush >= peeked.insert) this.#reached = peeked.insert
    return isAll ? 'all' : 'more'
  }

  /** How many rows have been taken with these; notes where transactions end. */
  #note(bytes: Buffer): number {
    let rows = this.#skip
    for (let at = 0; at < bytes.length;) {
      const from = at + LENGTH_BYTES
      const kind = bytes[from]
      if (kind !== RELATION && kind !== TYPE) rows += 1
      if (kind === COMMIT) this.#marks.push({ lsn: bytes.readBigUInt64BE(from + COMMIT_END), rows })
      if (kind === MESSAGE && bytes[from + 1] === 0) this.#marks.push({ lsn: bytes.readBigUInt64BE(from + MESSAGE_END), rows })
      at = from + bytes.readInt32BE(at)
    }
    return rows
  }
}

async function peek(session: SqlSession, request: Parameters<typeof peekStatement>[0], { signal }: AbortOptions): Promise<Peeked> {
  try {
    const [row] = await session.query({ ...peekStatement(request), signal })
    if (row === undefined) throw gap('slot-missing')
    return readPeeked(row)
  } catch (error) {
    throw explain(error)
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof TidemarkError)) return error
  const { detail } = error
  // The slot went between two lines of the statement; or the publication did.
  if (detail === '42704') return gap('slot-missing')
  return detail === '55000' ? gap('slot-lost') : orSlotBusy(error)
}
