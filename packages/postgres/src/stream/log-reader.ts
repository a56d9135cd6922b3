import type { AbortOptions, ChangeSlice, MessageSelection, ReadChangesRequest, SchemaChange, SliceLimit } from '@tidemark/core/adapter'
import type { SqlSession } from '../sql-session.ts'
import type { LogPlace } from './log-place.ts'
import { MessageReader } from './message-reader.ts'
import { PgoutputDecoder, RELATION } from './pgoutput-decoder.ts'
import type { RelationMessage } from './pgoutput-messages.ts'
import { describePublished } from './published-table.ts'
import { readRelation } from './read-relation.ts'
import type { LogItems, StreamItem } from './replication-stream.ts'
import type { StreamTable } from './stream-table.ts'
import type { StreamTables } from './stream-tables.ts'
import { TransactionAssembler } from './transaction-assembler.ts'
import type { TypeNames } from './type-names.ts'

export interface LogReaderOptions {
  readonly source: string
  readonly stream: LogItems
  readonly session: SqlSession
  readonly tables: StreamTables
  readonly types: TypeNames
  readonly after: LogPlace
  readonly messages?: MessageSelection | undefined
  readonly now: () => number
}

/** One reading of the stream, from one place on: slices of what has come, decoded when they are asked for. */
export class LogReader {
  readonly #options: LogReaderOptions
  readonly #assembler: TransactionAssembler
  readonly #decoder: PgoutputDecoder<StreamTable>
  readonly #relations = new MessageReader()

  constructor(options: LogReaderOptions) {
    this.#options = options
    this.#assembler = new TransactionAssembler({ source: options.source, after: options.after, messages: options.messages })
    this.#decoder = new PgoutputDecoder({ handler: this.#assembler, compile: (message) => this.#compile(message) })
  }

  /** Where the next slice begins. */
  get place(): LogPlace {
    return this.#assembler.place
  }

  /** Never waits for the server, but for the names of types that it has not met. */
  async read({ limit, signal }: Pick<ReadChangesRequest, 'limit' | 'signal'>): Promise<ChangeSlice> {
    this.#assembler.readAt(this.#options.now())
    const isLast = await this.#fill(limit, { signal })
    return this.#assembler.take(limit, isLast)
  }

  /** Whether all that has come is decoded. */
  async #fill(limit: SliceLimit, options: AbortOptions): Promise<boolean> {
    while (!this.#assembler.isFull(limit)) {
      const item = this.#options.stream.next()
      if (item === undefined) return true
      if (item.kind === 'reached') this.#assembler.reached(item.lsn)
      else if (item.kind === 'wait') {
        await item.wait()
        // A read is short, however much there is to put aside.
        return false
      } else {
        if (item.bytes[item.from] === RELATION) await this.#prepare(item, options)
        this.#assembler.measure(item.to - item.from)
        this.#decoder.decode(item.bytes, item.from, item.to)
      }
    }
    return false
  }

  async #prepare({ bytes, from, to }: Extract<StreamItem, { readonly kind: 'data' }>, options: AbortOptions): Promise<void> {
    this.#relations.open(bytes, from + 1, to)
    const message = readRelation(this.#relations)
    const { session, tables, types } = this.#options
    if (types.knows(message.columns) && tables.isAsDescribed(message)) return
    await types.learn(message.columns, options)
    const ref = { schema: message.schema, name: message.table }
    // What the stream does not say: the key, and what may be NULL. The table may be gone by now.
    if (tables.published(ref) !== undefined && !tables.isAsDescribed(message)) await describePublished(session, ref, options).then((table) => tables.refresh(table), () => undefined)
  }

  #compile(message: RelationMessage): StreamTable {
    const { table, change } = this.#options.tables.compile(message)
    if (change !== undefined) this.#tell(change)
    return table
  }

  #tell(change: SchemaChange): void {
    this.#assembler.schema(change)
  }
}
