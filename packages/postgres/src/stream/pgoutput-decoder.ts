import { TidemarkError } from '@tidemark/core/adapter'
import { MessageReader } from './message-reader.ts'
import type { DecodedRelation, OldKind, PgoutputHandler, RelationMessage, StreamRow, ValueReader } from './pgoutput-messages.ts'
import { readRelation } from './read-relation.ts'
import { undecodable } from './undecodable.ts'

const BEGIN = 0x42
const COMMIT = 0x43
const ORIGIN = 0x4f
export const RELATION = 0x52
const TYPE = 0x59
const INSERT = 0x49
const UPDATE = 0x55
const DELETE = 0x44
const TRUNCATE = 0x54
const MESSAGE = 0x4d

const KEY = 0x4b
const OLD = 0x4f
const NEW = 0x4e

const NULL = 0x6e
const UNCHANGED = 0x75
const TEXT = 0x74

/** PostgreSQL counts microseconds from 2000-01-01. */
const EPOCH_MS = 946_684_800_000

export interface PgoutputDecoderOptions<Relation extends DecodedRelation> {
  readonly handler: PgoutputHandler<Relation>
  /** Called once for each table that the stream describes, and again when it does so anew. */
  readonly compile: (message: RelationMessage) => Relation
}

/**
 * The messages of the plugin `pgoutput`, protocol version 1 (manual, 55.5 and 55.9). What a table's columns need is compiled when the
 * stream describes the table; a row costs one call per column.
 *
 * Errors: `LOG_UNDECODABLE` for everything that is not understood. The decoder is of no use after one.
 */
export class PgoutputDecoder<Relation extends DecodedRelation> {
  readonly #options: PgoutputDecoderOptions<Relation>
  readonly #relations = new Map<number, Relation>()
  readonly #reader = new MessageReader()

  constructor(options: PgoutputDecoderOptions<Relation>) {
    this.#options = options
  }

  /** Decodes the one message that the range holds. */
  decode(bytes: Buffer, from: number, to: number): void {
    this.#reader.open(bytes, from, to)
    try {
      this.#message()
      this.#reader.close()
    } catch (error) {
      // Whatever a codec or the runtime throws here, a message was not understood. It may quote a value, and is not kept.
      throw error instanceof TidemarkError && error.code === 'LOG_UNDECODABLE' ? error : undecodable('has a value that is not of its column\'s type')
    }
  }

  #message(): void {
    const { handler } = this.#options
    const tag = this.#reader.byte()
    switch (tag) {
      case INSERT: return this.#insert()
      case UPDATE: return this.#update()
      case DELETE: return this.#delete()
      case BEGIN: return this.#begin()
      case COMMIT: return this.#commit()
      case RELATION: return this.#relation()
      case TRUNCATE: return this.#truncate()
      case TYPE: return this.#type()
      case ORIGIN: {
        this.#reader.lsn()
        return handler.origin(this.#reader.text())
      }
      case MESSAGE: return this.#logicalMessage()
      default: throw undecodable(`has a message of an unknown kind (${tag})`)
    }
  }

  #begin(): void {
    const reader = this.#reader
    const finalLsn = reader.lsn()
    const committedAtMs = EPOCH_MS + Number(reader.int64() / 1000n)
    this.#options.handler.begin({ finalLsn, committedAtMs, xid: reader.oid() })
  }

  #commit(): void {
    const reader = this.#reader
    if (reader.byte() !== 0) throw undecodable('has a commit with unknown flags')
    const commitLsn = reader.lsn()
    const endLsn = reader.lsn()
    reader.int64()
    this.#options.handler.commit({ commitLsn, endLsn })
  }

  #relation(): void {
    const message = readRelation(this.#reader)
    this.#relations.set(message.id, this.#options.compile(message))
  }

  /** Names of types are looked up in the catalogue, where domains lead on to what they stand on. */
  #type(): void {
    this.#reader.oid()
    this.#reader.text()
    this.#reader.text()
  }

  #insert(): void {
    const relation = this.#known(this.#reader.oid())
    if (this.#reader.byte() !== NEW) throw undecodable('has an insert without a row')
    this.#options.handler.insert(relation, this.#row(relation.readers))
  }

  #update(): void {
    const relation = this.#known(this.#reader.oid())
    let tag = this.#reader.byte()
    let kind: OldKind | undefined
    let before: StreamRow | undefined
    if (tag !== NEW) {
      kind = oldKind(tag)
      before = this.#row(relation.readers)
      tag = this.#reader.byte()
    }
    if (tag !== NEW) throw undecodable('has an update without a row')
    this.#options.handler.update(relation, { after: this.#row(relation.readers), before, kind })
  }

  #delete(): void {
    const relation = this.#known(this.#reader.oid())
    const kind = oldKind(this.#reader.byte())
    this.#options.handler.delete(relation, this.#row(relation.readers), kind)
  }

  #truncate(): void {
    const reader = this.#reader
    const count = reader.int32()
    const flags = reader.byte()
    if (count < 0 || flags > 3) throw undecodable('has a truncate with unknown flags')
    const relations: Relation[] = []
    for (let i = 0; i < count; i += 1) relations.push(this.#known(reader.oid()))
    this.#options.handler.truncate(relations, { cascade: (flags & 1) !== 0, restartIdentity: (flags & 2) !== 0 })
  }

  #logicalMessage(): void {
    const reader = this.#reader
    const flags = reader.byte()
    if (flags > 1) throw undecodable('has a logical message with unknown flags')
    const lsn = reader.lsn()
    const prefix = reader.text()
    const length = reader.int32()
    const at = reader.skip(length)
    this.#options.handler.message({ isTransactional: flags === 1, lsn, prefix, content: new Uint8Array(reader.bytes.subarray(at, at + length)) })
  }

  #row(readers: readonly ValueReader[]): StreamRow {
    const reader = this.#reader
    if (reader.int16() !== readers.length) throw undecodable('has a row with another number of columns than its table')
    const { bytes } = reader
    const row: StreamRow = []
    for (const read of readers) {
      switch (reader.byte()) {
        case TEXT: {
          const length = reader.int32()
          const at = reader.skip(length)
          row.push(read(bytes, at, at + length))
          break
        }
        case NULL: row.push(null); break
        case UNCHANGED: row.push(undefined); break
        default: throw undecodable('has a value of an unknown form')
      }
    }
    return row
  }

  #known(id: number): Relation {
    const relation = this.#relations.get(id)
    if (relation === undefined) throw undecodable('has a change of a table that it did not describe')
    return relation
  }
}

function oldKind(tag: number): OldKind {
  if (tag === KEY) return 'key'
  if (tag === OLD) return 'full'
  throw undecodable('has an old row of an unknown kind')
}
