import { decodeCheckpoint, encodeCheckpoint, type CheckpointState } from '../change/change-checkpoint.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { StateStore } from '../state/state-store.ts'

export interface CheckpointKey {
  readonly stream: string
  readonly source: string
  readonly subscriber: string
}

/** Where a stream's checkpoints of one source stand in the store. Each part is encoded, so that no name can reach into another's. */
export function checkpointPrefix({ stream, source }: Pick<CheckpointKey, 'stream' | 'source'>): string {
  return `stream/${encodeURIComponent(stream)}/${encodeURIComponent(source)}/`
}

export function checkpointKey(key: CheckpointKey): string {
  return checkpointPrefix(key) + encodeURIComponent(key.subscriber)
}

/** The subscriber that a key of this prefix belongs to. */
export function subscriberOf(key: string, prefix: string): string {
  return decodeURIComponent(key.slice(prefix.length))
}

export interface CheckpointKeeperOptions {
  readonly store: StateStore
  readonly key: string
  /** Repeats what the store can't do just now. */
  readonly persist: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * One subscriber's checkpoint in the store. Written by compare-and-set, so that of two processes that take themselves for its owner
 * only one can move it.
 */
export class CheckpointKeeper {
  readonly #options: CheckpointKeeperOptions
  #version: number | undefined
  #text: string | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(options: CheckpointKeeperOptions) {
    this.#options = options
  }

  /** Errors: `STATE_CORRUPT`, `STATE_NEWER`. */
  async load(): Promise<CheckpointState | undefined> {
    const { store, key, persist } = this.#options
    const stored = await persist(() => store.get(key))
    this.#version = stored?.version
    this.#text = stored?.value
    return stored === undefined ? undefined : decodeCheckpoint(stored.value)
  }

  /** Writes in the order of the calls; nothing when it is the same already. Errors: `STATE_CONFLICT`. */
  save(state: CheckpointState): Promise<void> {
    const write = this.#writing.then(() => this.#write(encodeCheckpoint(state)))
    this.#writing = write.catch(() => undefined)
    return write
  }

  async #write(text: string): Promise<void> {
    if (text === this.#text) return
    const version = await this.#options.persist(() => this.#set(text))
    if (version === undefined) throw new TidemarkError('STATE_CONFLICT', 'Another process has moved the subscriber\'s checkpoint.', {
      remedy: 'Let one process at a time serve a stream name, and subscribe again.',
    })
    this.#version = version
    this.#text = text
  }

  /** `undefined` at a conflict: repeating can't help, the version in hand is stale for good. */
  async #set(text: string): Promise<number | undefined> {
    const { store, key } = this.#options
    try {
      return await store.set(key, text, this.#version)
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'STATE_CONFLICT') throw error
      // An earlier try may have been written although its answer was lost.
      const stored = await store.get(key)
      return stored?.value === text && stored.version === (this.#version ?? 0) + 1 ? stored.version : undefined
    }
  }
}
