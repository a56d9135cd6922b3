// The adapter's own files, not its package: what decodes is no public part of it. They run as they are, and find `@tidemark/core` as it is built.
import { describePublished } from '../../../packages/postgres/src/stream/published-table.ts'
import { MessageReader } from '../../../packages/postgres/src/stream/message-reader.ts'
import { PgoutputDecoder, RELATION } from '../../../packages/postgres/src/stream/pgoutput-decoder.ts'
import { readRelation } from '../../../packages/postgres/src/stream/read-relation.ts'
import { StreamTables } from '../../../packages/postgres/src/stream/stream-tables.ts'
import { TransactionAssembler } from '../../../packages/postgres/src/stream/transaction-assembler.ts'
import { TypeNames } from '../../../packages/postgres/src/stream/type-names.ts'
import { PostgresSession } from '../../../packages/postgres/src/postgres-session.ts'

const LIMIT = { events: 1_000, bytes: 8_000_000 }

/** Decodes a recorded stream as a source does: to typed events, in slices of whole transactions. Gives how many events there were. */
export type DecodeStream = (messages: readonly Buffer[]) => number

export async function streamDecoder({ url, table, messages }: { readonly url: string; readonly table: string; readonly messages: readonly Buffer[] }): Promise<DecodeStream> {
  await using session = new PostgresSession({ url })
  const published = await describePublished(session, { schema: 'public', name: table }, {})
  const types = new TypeNames(session)
  for (const message of messages) if (message[0] === RELATION) await types.learn(relationOf(message).columns, {})
  return (recorded) => decode(recorded, new StreamTables(types, [published]))
}

function decode(messages: readonly Buffer[], tables: StreamTables): number {
  const assembler = new TransactionAssembler({ source: 'bench', after: { epoch: '1', lsn: 0n, delivered: undefined } })
  const decoder = new PgoutputDecoder({ handler: assembler, compile: (message) => tables.compile(message).table })
  let events = 0
  for (const message of messages) {
    if (assembler.isFull(LIMIT)) events += assembler.take(LIMIT, false).events.length
    assembler.measure(message.length)
    decoder.decode(message, 0, message.length)
  }
  return events + assembler.take(LIMIT, true).events.length
}

function relationOf(message: Buffer): ReturnType<typeof readRelation> {
  const reader = new MessageReader()
  reader.open(message, 1, message.length)
  return readRelation(reader)
}
