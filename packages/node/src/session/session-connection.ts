import {
  TidemarkError, type AbortOptions, type ChangeConnection, type ChangeLag, type ChangeSlice, type ChangeTable, type LeaseStore, type LogPosition,
  type ReadChangesRequest, type ReadChunkRequest, type RetainRequest, type SnapshotChunk, type Unsubscribe,
} from '@tidemark/core/adapter'
import { leasesOf, leasesUntilClosed, type MemoryLeases } from './memory-leases.ts'
import { readChunk } from './read-chunk.ts'
import { readSlice } from './read-slice.ts'
import type { SessionSource } from './session-source.ts'

/** A reader of a session's log. Every method does its work in one synchronous turn. */
export class SessionConnection implements ChangeConnection {
  readonly leases: LeaseStore
  readonly #leases: MemoryLeases
  readonly #source: SessionSource
  #isDisposed = false

  constructor(source: SessionSource) {
    this.#source = source
    this.#leases = leasesOf(source.database)
    this.leases = leasesUntilClosed(this.#leases, () => this.#isDisposed)
  }

  tables(options: AbortOptions = {}): Promise<readonly ChangeTable[]> {
    return this.#do(options, (source) => source.look().tables)
  }

  head(options: AbortOptions = {}): Promise<LogPosition> {
    return this.#do(options, (source) => {
      source.look()
      return source.log.head
    })
  }

  verify(position: LogPosition, options: AbortOptions = {}): Promise<void> {
    return this.#do(options, (source) => {
      source.look()
      source.log.place(position)
    })
  }

  readChanges(request: ReadChangesRequest): Promise<ChangeSlice> {
    return this.#do(request, (source) => {
      source.look()
      const { log } = source
      const after = log.place(request.after)
      log.noteRead(after)
      const through = request.through === undefined ? Number.POSITIVE_INFINITY : log.place(request.through).sequence
      return readSlice({ log, sourceName: source.name, after, through, limit: request.limit })
    })
  }

  readChunk(request: ReadChunkRequest): Promise<SnapshotChunk> {
    return this.#do(request, (source) => source.read((recorder) => {
      const images = recorder.images(request.table)
      if (images === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The table '${request.table}' is not captured, or is gone.`)
      return readChunk(source.database, { request, images, through: source.log.head, sourceName: source.name, receivedAtMs: Date.now() })
    }))
  }

  onWake(listener: () => void): Unsubscribe {
    return this.#source.onWake(listener)
  }

  retain({ consumer, position, fence, signal }: RetainRequest): Promise<void> {
    return this.#do({ signal }, ({ log }) => {
      if (!this.#leases.isCurrent(fence)) throw new TidemarkError('LEASE_LOST', `Another worker has taken over '${fence.lease}'.`)
      log.retain(consumer, position)
    })
  }

  release(consumer: string, options: AbortOptions = {}): Promise<void> {
    return this.#do(options, ({ log }) => log.release(consumer))
  }

  retained(consumer: string, options: AbortOptions = {}): Promise<LogPosition | undefined> {
    return this.#do(options, ({ log }) => log.retained(consumer))
  }

  /** Nothing is left to do: reading and `retain` let go by themselves. */
  purge(options: AbortOptions = {}): Promise<boolean> {
    return this.#do(options, () => false)
  }

  lag(position: LogPosition, options: AbortOptions = {}): Promise<ChangeLag> {
    return this.#do(options, (source) => {
      source.look()
      return source.log.lag(position, Date.now())
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#isDisposed) return Promise.resolve()
    this.#isDisposed = true
    return Promise.resolve().then(() => this.#source.disconnect())
  }

  #do<T>({ signal }: AbortOptions, work: (source: SessionSource) => T): Promise<T> {
    return Promise.resolve().then(() => {
      if (signal?.aborted === true) throw new TidemarkError('ABORTED', 'The operation was aborted before it began.')
      if (this.#isDisposed) throw new TidemarkError('CLOSED', 'The connection to the source is closed.')
      return work(this.#source)
    })
  }
}
