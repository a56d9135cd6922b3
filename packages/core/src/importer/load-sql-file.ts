import type { ImportStatement } from '../dialect/import-target.ts'
import type { Compression } from '../dump/compression.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { ImportPlace } from './import-place.ts'
import type { ImportSession } from './import-session.ts'
import { notText } from './load-sql-object.ts'
import { decodeStatement } from './sql/decode-statement.ts'
import type { SqlRules } from '../dialect/sql-rules.ts'
import { StatementSplitter, type SplitStatement } from './sql/statement-splitter.ts'
import { statementFailed } from './statement-failed.ts'

/** Statements of one transaction, in bytes. */
const SLICE_BYTES = 8 * 1_048_576

export interface LoadFileRequest {
  readonly session: ImportSession
  readonly storage: ObjectStorage
  readonly key: string
  /** As it is stored. */
  readonly fileBytes: number
  readonly compression: Compression | undefined
  readonly rules: SqlRules
  readonly maxStatementBytes: number
}

/** A file of SQL, whoever wrote it, in slices of whole statements. Gives the place after each. */
export async function* loadSqlFile(request: LoadFileRequest): AsyncGenerator<ImportPlace> {
  const { session } = request
  const begin = session.place.offset
  const slices = new FileSlices(request, begin)
  for await (const { statements, end } of slices.read()) {
    const outcome = await session.runStatements(statements, { object: 0, chunk: 0, offset: end, bytes: end })
    if (outcome.kind === 'refused') throw await slices.failed(outcome.statement.offset, outcome.error)
    yield session.place
  }
}

interface FileSlice {
  readonly statements: readonly ImportStatement[]
  /** Where the next one begins. */
  readonly end: number
}

class FileSlices {
  readonly #request: LoadFileRequest
  readonly #begin: number
  #statements: ImportStatement[] = []
  #sliceBytes = 0

  constructor(request: LoadFileRequest, begin: number) {
    this.#request = request
    this.#begin = begin
  }

  async *read(): AsyncGenerator<FileSlice> {
    const { rules, maxStatementBytes } = this.#request
    const splitter = new StatementSplitter(rules)
    let end = this.#begin
    for await (const bytes of this.#open(this.#begin)) {
      for (const split of splitter.push(bytes)) {
        end = await this.#add(split)
        if (this.#sliceBytes >= SLICE_BYTES) yield this.#take(end)
      }
      if (splitter.heldBytes > maxStatementBytes) throw await this.failed(end, tooLong(maxStatementBytes))
    }
    for (const split of splitter.end()) end = await this.#add(split)
    if (this.#statements.length > 0) yield this.#take(end)
  }

  failed(offset: number, cause: TidemarkError): Promise<TidemarkError> {
    return statementFailed({ path: this.#request.key, offset, cause, open: () => this.#open(0) })
  }

  /** Returns where the next statement begins. */
  async #add(split: SplitStatement): Promise<number> {
    const statement = decodeStatement(split, this.#begin)
    if (statement === undefined) throw await this.failed(this.#begin + split.offset, notText())
    this.#statements.push(statement.offset === 0 ? { ...statement, sql: statement.sql.replace(/^\uFEFF/, '') } : statement)
    this.#sliceBytes += split.bytes.length
    return statement.offset + split.bytes.length + 1
  }

  #take(end: number): FileSlice {
    const statements = this.#statements
    this.#statements = []
    this.#sliceBytes = 0
    return { statements, end }
  }

  /** From that byte on. Inside of what is compressed there is no going to a place: what is before it is read and let go of. */
  async *#open(from: number): AsyncGenerator<Uint8Array> {
    const { storage, key, fileBytes, compression, session: { signal } } = this.#request
    const isWhole = from === 0 || compression !== undefined
    if (!isWhole && from >= fileBytes) return
    await using body = await storage.get(key, { signal, range: isWhole ? undefined : { start: from } })
    yield* compression === undefined ? body : skipping(compression.decompress(body), from)
  }
}

async function* skipping(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const piece of source) {
    const rest = piece.subarray(Math.min(left, piece.length))
    left -= piece.length - rest.length
    if (rest.length > 0) yield rest
  }
}

function tooLong(maxStatementBytes: number): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `It is longer than ${maxStatementBytes} bytes.`, { issues: [{ path: 'maxStatementBytes', message: 'Must be larger than the longest statement.' }] })
}
