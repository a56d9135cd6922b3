import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ChunkRecord, ExportState, StreamState } from './export-state.ts'

const PREFIX = 'export/'

/** Chunk records in one stored block. With the longest tokens known (171 characters, R2) a block is below 25 KB. */
const BLOCK_RECORDS = 64

/** Records kept in the job's own document before they go to blocks: it is written with every part, so it has to stay small. */
const MAX_RECORDS = 192

export interface StoredJob {
  readonly state: ExportState
  readonly version: number
}

export interface Worker {
  readonly owner: string
  readonly leaseTtlMs: number
}

/** Jobs in a {@link StateStore}. */
export class ExportStore {
  readonly #store: StateStore
  readonly #runtime: Runtime

  constructor(store: StateStore, runtime: Runtime) {
    this.#store = store
    this.#runtime = runtime
  }

  /** Errors: `STATE_CONFLICT` where there is one of this id. */
  async create(state: ExportState): Promise<void> {
    await this.#store.set(keyOf(state.id), JSON.stringify(state), undefined)
  }

  async has(id: string): Promise<boolean> {
    return (await this.#store.get(keyOf(id))) !== undefined
  }

  /** Errors: `EXPORT_UNKNOWN`, `STATE_NEWER`, `STATE_CORRUPT`. */
  async read(id: string): Promise<StoredJob> {
    const stored = await this.#store.get(keyOf(id))
    if (stored === undefined) throw new TidemarkError('EXPORT_UNKNOWN', 'No export of this id is known.')
    return { state: parse(stored.value), version: stored.version }
  }

  /** Without holding the lease. Errors: `STATE_CONFLICT`. */
  async replace({ state, version }: StoredJob): Promise<void> {
    await this.#store.set(keyOf(state.id), JSON.stringify({ ...state, updatedAtMs: this.#runtime.now() }), version)
  }

  /** Ids of all jobs. */
  async list(): Promise<readonly string[]> {
    const keys = await this.#store.list(PREFIX)
    return keys.map((key) => key.slice(PREFIX.length)).filter((id) => !id.includes('/'))
  }

  /** Forgets a job. Blocks first: what is left after a kill is still found by the document. */
  async delete(id: string): Promise<void> {
    for (const key of await this.#store.list(`${keyOf(id)}/`)) await this.#store.delete(key)
    await this.#store.delete(keyOf(id))
  }

  /** Errors: `LEASE_HELD` while another worker is at it; `EXPORT_UNKNOWN`. */
  async hold(id: string, worker: Worker): Promise<HeldJob> {
    const { state, version } = await this.read(id)
    const { lease } = state
    if (lease !== undefined && lease.owner !== worker.owner && lease.untilMs > this.#runtime.now()) {
      throw new TidemarkError('LEASE_HELD', 'Another worker is at this export.')
    }
    const job = new HeldJob({ store: this.#store, runtime: this.#runtime, worker, state, version })
    await job.update((current) => current)
    return job
  }

  async chunks(state: ExportState, stream: number): Promise<readonly ChunkRecord[]> {
    const { spilled = 0, chunks = [] } = state.streams[stream] ?? {}
    const records: ChunkRecord[] = []
    for (let block = 0; block * BLOCK_RECORDS < spilled; block += 1) {
      const stored = await this.#store.get(blockKey(state, stream, block))
      if (stored === undefined) throw new TidemarkError('STATE_CORRUPT', 'A block of the export\'s chunks is missing.', { remedy: 'Start another export.' })
      records.push(...JSON.parse(stored.value) as ChunkRecord[]) // written by `spill`
    }
    return [...records, ...chunks]
  }
}

export interface HeldJobOptions {
  readonly store: StateStore
  readonly runtime: Runtime
  readonly worker: Worker
  readonly state: ExportState
  readonly version: number
}

/** A job that this worker is at. Every save proves that nobody else has saved since, and extends the lease. */
export class HeldJob implements AsyncDisposable {
  readonly #options: HeldJobOptions
  #state: ExportState
  #version: number
  /** Saves one after the other: several streams save to one document. */
  #tail: Promise<unknown> = Promise.resolve()

  constructor(options: HeldJobOptions) {
    this.#options = options
    this.#state = options.state
    this.#version = options.version
  }

  get state(): ExportState {
    return this.#state
  }

  get leaseTtlMs(): number {
    return this.#options.worker.leaseTtlMs
  }

  /** Errors: `LEASE_LOST` when another worker has taken over; nothing is written then. */
  update(change: (state: ExportState) => ExportState): Promise<void> {
    const save = this.#tail.then(() => this.#save(change))
    this.#tail = save.catch(() => undefined)
    return save
  }

  updateStream(index: number, change: (stream: StreamState) => StreamState): Promise<void> {
    return this.update((state) => ({ ...state, streams: state.streams.map((stream, at) => (at === index ? change(stream) : stream)) }))
  }

  /** Lets others in. A job that is lost already is theirs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail
    await this.#write({ ...this.#state, lease: undefined }).catch((error: unknown) => {
      if (!(error instanceof TidemarkError && error.code === 'LEASE_LOST')) throw error
    })
  }

  async #save(change: (state: ExportState) => ExportState): Promise<void> {
    const { runtime, worker } = this.#options
    const nowMs = runtime.now()
    const lease = { owner: worker.owner, untilMs: nowMs + worker.leaseTtlMs }
    await this.#write({ ...await this.#spill(change(this.#state)), lease, updatedAtMs: nowMs })
  }

  async #write(state: ExportState): Promise<void> {
    try {
      this.#version = await this.#options.store.set(keyOf(state.id), JSON.stringify(state), this.#version)
    } catch (error) {
      if (error instanceof TidemarkError && error.code === 'STATE_CONFLICT') {
        throw new TidemarkError('LEASE_LOST', 'Another worker has taken this export.', { cause: error })
      }
      throw error
    }
    this.#state = state
  }

  /** Moves whole blocks of chunk records out of the document, before the document that counts them as stored is written. */
  async #spill(state: ExportState): Promise<ExportState> {
    const records = state.streams.reduce((sum, stream) => sum + stream.chunks.length, 0)
    if (records <= MAX_RECORDS) return state
    const streams = []
    for (const [index, stream] of state.streams.entries()) streams.push(await this.#spillStream(state, index, stream))
    return { ...state, streams }
  }

  async #spillStream(state: ExportState, index: number, stream: StreamState): Promise<StreamState> {
    const isEnded = stream.phase === 'done'
    let { chunks, spilled } = stream
    while (chunks.length >= BLOCK_RECORDS || (isEnded && chunks.length > 0)) {
      const records = chunks.slice(0, BLOCK_RECORDS)
      const key = blockKey(state, index, Math.floor(spilled / BLOCK_RECORDS))
      // One of the same name is left from before a kill.
      const earlier = await this.#options.store.get(key)
      await this.#options.store.set(key, JSON.stringify(records), earlier?.version)
      chunks = chunks.slice(records.length)
      spilled += records.length
    }
    return { ...stream, chunks, spilled }
  }
}

function keyOf(id: string): string {
  return `${PREFIX}${id}`
}

function blockKey({ id, attempt }: ExportState, stream: number, block: number): string {
  return `${keyOf(id)}/${attempt}/${stream}/${block}`
}

function parse(text: string): ExportState {
  const state = tryParse(text)
  if (typeof state !== 'object' || state === null || !('version' in state) || typeof state.version !== 'number') {
    throw new TidemarkError('STATE_CORRUPT', 'The stored state of the export can\'t be read.', { remedy: 'Start another export.' })
  }
  if (state.version > 1) throw new TidemarkError('STATE_NEWER', `The export's state has version ${state.version}; this release knows 1.`)
  return state as ExportState // written by this class, at this version
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
