import { TidemarkError } from '@tidemark/core/adapter'
import type {
  AbortOptions, DescribeTableOptions, DiagnoseRequest, FenceRequest, Finding, ReadByKeyRequest, ReadRowsRequest, RowPage, RowStream, RowValues,
  SourceConnection, StreamRowsRequest, TableRef, TableSchema,
} from '@tidemark/core/adapter'
import type { SourceIdentity } from './connection-settings.ts'
import { describeTable } from './describe-table.ts'
import { diagnose } from './diagnose.ts'
import { killThread, type ServerThread } from './kill-thread.ts'
import { LockedWindows } from './locked-window.ts'
import { openSession, type Session } from './open-session.ts'
import { ProofKinds } from './proof.ts'
import { readHighMark, type HighMark } from './read-high-mark.ts'
import { readRows } from './read-rows.ts'
import { readRowsByKey } from './read-rows-by-key.ts'
import { streamRows } from './stream-rows.ts'

/** The logical connection: opens a physical one when there is none in order. A stream has one of its own. */
export class MysqlSourceConnection implements SourceConnection {
  readonly #identity: SourceIdentity
  readonly #memory = { kinds: new ProofKinds(), windows: new LockedWindows() }
  readonly #streams = new Set<Session>()
  readonly #kills = new Set<Promise<void>>()
  #session: Session | undefined
  #isClosed = false

  constructor(identity: SourceIdentity) {
    this.#identity = identity
  }

  async open(options: AbortOptions): Promise<void> {
    await this.#open(options)
  }

  async describeTable(table: TableRef, options: DescribeTableOptions = {}): Promise<TableSchema> {
    return describeTable(await this.#open(options), table, this.#limited(options))
  }

  async readRows(request: ReadRowsRequest): Promise<RowPage> {
    return readRows(await this.#open(request), this.#memory, this.#limited(request))
  }

  async readRowsByKey(request: ReadByKeyRequest): Promise<readonly RowValues[]> {
    return readRowsByKey(await this.#open(request), this.#limited(request))
  }

  async readHighMark(request: FenceRequest): Promise<HighMark> {
    return readHighMark(await this.#open(request), this.#memory.kinds, this.#limited(request))
  }

  async streamRows(request: StreamRowsRequest): Promise<RowStream> {
    if (this.#isClosed) throw closed()
    const session = await this.#connect(request, undefined)
    this.#forgetFinishedStreams()
    this.#streams.add(session)
    try {
      // Of its own connection: another one may lead to another server.
      const kind = await this.#memory.kinds.of(session, request.table, this.#limited(request))
      return await streamRows({ session, kind, idleTimeoutMs: this.#identity.queryTimeoutMs }, request)
    } catch (error) {
      session.link.destroy()
      throw error
    }
  }

  async diagnose(request: DiagnoseRequest): Promise<readonly Finding[]> {
    return diagnose(await this.#open(request), this.#memory.kinds, this.#limited(request))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    for (const stream of this.#streams) stream.link.destroy()
    await this.#session?.link.close()
    this.#session = undefined
    await Promise.all(this.#kills)
  }

  /** Beside the caller, who is not kept waiting; closing waits. */
  readonly #onAbandon = (thread: ServerThread): void => {
    const kill = killThread(this.#identity, thread).finally(() => this.#kills.delete(kill))
    this.#kills.add(kill)
  }

  #limited<T extends object>(request: T): T & { readonly timeoutMs: number } {
    return { ...request, timeoutMs: this.#identity.queryTimeoutMs }
  }

  async #open(options: AbortOptions): Promise<Session> {
    if (this.#isClosed) throw closed()
    if (this.#session?.link.isUsable === true) return this.#session
    this.#session = await this.#connect(options, this.#identity.queryTimeoutMs)
    return this.#session
  }

  async #connect({ signal }: AbortOptions, statementTimeoutMs: number | undefined): Promise<Session> {
    const session = await openSession(this.#identity, { signal, statementTimeoutMs, onAbandon: this.#onAbandon })
    if (!this.#isClosed) return session
    // Closed meanwhile, by a caller who waits for nobody: there is no one else to end it.
    session.link.destroy()
    throw closed()
  }

  #forgetFinishedStreams(): void {
    for (const stream of this.#streams) {
      if (!stream.link.isUsable) this.#streams.delete(stream)
    }
  }
}

function closed(): TidemarkError {
  return new TidemarkError('CLOSED', 'The MySQL connection was closed.')
}
