import type { Value } from '@tidemark/core/adapter'
import type { Lsn } from './lsn.ts'

/** A column as a Relation message has it. */
export interface RelationColumn {
  readonly name: string
  readonly typeOid: number
  readonly typeModifier: number
  /** Whether it is part of the replica identity. Under REPLICA IDENTITY FULL all are, so that this is not the key. */
  readonly isIdentity: boolean
}

/** A table as its changes have it from here on. */
export interface RelationMessage {
  readonly id: number
  readonly schema: string
  readonly table: string
  /** `pg_class.relreplident`: d default, n nothing, f full, i index. */
  readonly identity: string
  readonly columns: readonly RelationColumn[]
}

export interface BeginMessage {
  /** Where the commit's record begins. */
  readonly finalLsn: Lsn
  readonly committedAtMs: number
  readonly xid: number
}

export interface CommitMessage {
  readonly commitLsn: Lsn
  /** The first byte behind the commit's record: where the log goes on. */
  readonly endLsn: Lsn
}

export interface TruncateOptions {
  readonly cascade: boolean
  readonly restartIdentity: boolean
}

export interface LogicalMessage {
  readonly isTransactional: boolean
  readonly lsn: Lsn
  readonly prefix: string
  readonly content: Uint8Array
}

/** A row by column; `undefined` is a value that the server did not send: it is large and was not changed. */
export type StreamRow = (Value | undefined)[]

/** Turns the server's text of one value, which is not NULL, into the value. */
export type ValueReader = (bytes: Buffer, from: number, to: number) => Value

/** What the decoder needs to know of a table. */
export interface DecodedRelation {
  readonly id: number
  readonly readers: readonly ValueReader[]
}

/** How much an old row has: the columns of the replica identity, the rest of them NULL, or all. */
export type OldKind = 'key' | 'full'

/** Gets the messages of a stream in order. Rows are the handler's to keep. */
export interface PgoutputHandler<Relation extends DecodedRelation> {
  begin(message: BeginMessage): void
  commit(message: CommitMessage): void
  origin(name: string): void
  insert(relation: Relation, after: StreamRow): void
  update(relation: Relation, rows: { readonly after: StreamRow; readonly before: StreamRow | undefined; readonly kind: OldKind | undefined }): void
  delete(relation: Relation, before: StreamRow, kind: OldKind): void
  truncate(relations: readonly Relation[], options: TruncateOptions): void
  message(message: LogicalMessage): void
}
