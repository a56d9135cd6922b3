import type { ImportStatement } from '../dialect/import-target.ts'
import type { ManifestObject } from '../dump/manifest.ts'
import { readChunks, type ReadChunksRequest } from '../dump/read-chunks.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { ahead } from '../util/ahead.ts'
import type { ImportPlace } from './import-place.ts'
import type { ImportSession } from './import-session.ts'
import { decodeStatement } from './sql/decode-statement.ts'
import type { SqlRules } from '../dialect/sql-rules.ts'
import { StatementSplitter } from './sql/statement-splitter.ts'
import { statementFailed } from './statement-failed.ts'

export interface LoadObjectRequest {
  readonly session: ImportSession
  /** Its number in the manifest. */
  readonly index: number
  readonly object: ManifestObject
  readonly read: Omit<ReadChunksRequest, 'object' | 'from'>
}

/** One slice a chunk: a chunk of statements ends with one. Gives the place after each. */
export async function* loadSqlObject({ session, index, object, read }: LoadObjectRequest, rules: SqlRules): AsyncGenerator<ImportPlace> {
  const from = session.place.chunk
  let offset = object.chunks.slice(0, from).reduce((sum, { bytes }) => sum + bytes, 0)
  let chunk = from
  for await (const bytes of ahead(readChunks({ ...read, object, from }))) {
    const open = (): AsyncIterable<Uint8Array> => readChunks({ ...read, object })
    const statements = await statementsOf(bytes, { rules, offset, path: object.path, open })
    chunk += 1
    const isLast = chunk === object.chunks.length
    const next = { object: isLast ? index + 1 : index, chunk: isLast ? 0 : chunk, offset: 0, bytes: session.place.bytes + bytes.length }
    const outcome = await session.runStatements(statements, next)
    if (outcome.kind === 'refused') throw await statementFailed({ path: object.path, offset: outcome.statement.offset, open, cause: outcome.error })
    offset += bytes.length
    yield session.place
  }
}

interface ChunkText {
  readonly rules: SqlRules
  /** Where the chunk begins in its object. */
  readonly offset: number
  readonly path: string
  readonly open: () => AsyncIterable<Uint8Array>
}

async function statementsOf(bytes: Uint8Array, { rules, offset, path, open }: ChunkText): Promise<readonly ImportStatement[]> {
  const statements: ImportStatement[] = []
  const splitter = new StatementSplitter(rules)
  for (const split of allOf(splitter, bytes)) {
    const statement = decodeStatement(split, offset)
    if (statement === undefined) throw await statementFailed({ path, offset: offset + split.offset, open, cause: notText() })
    statements.push(statement)
  }
  return statements
}

function* allOf(splitter: StatementSplitter, bytes: Uint8Array): ReturnType<StatementSplitter['push']> {
  yield* splitter.push(bytes)
  yield* splitter.end()
}

export function notText(): TidemarkError {
  return new TidemarkError('DUMP_CORRUPT', 'It holds a NUL, or bytes that are no UTF-8.')
}
