import type { Change, ErrorReport } from './answers.ts'
import { Problem } from './api.ts'
import { readEvents, type EventMessage } from './read-events.ts'
import { parseChange } from './row-text.ts'

export interface Seen {
  readonly number: number
  readonly atMs: number
  readonly change: Change
}

export interface Selection {
  readonly stream: string
  readonly source: string
  /** Parted by commas; empty for all. */
  readonly tables: string
}

export type Standing =
  | { readonly kind: 'idle' }
  | { readonly kind: 'opening' }
  | { readonly kind: 'following' }
  /** Cut off; it comes back by itself. */
  | { readonly kind: 'waiting'; readonly error: ErrorReport | undefined }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly error: ErrorReport }

const KEPT = 200
const RETRY_MS = 2_000

/** Follows one source of changes, and knows where to go on. Rows are kept here and nowhere else. */
export class Follower {
  readonly #onChange: () => void
  #seen: readonly Seen[] = []
  #standing: Standing = { kind: 'idle' }
  #position: string | undefined
  #stop: AbortController | undefined
  total = 0

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** Newest first. */
  get seen(): readonly Seen[] {
    return this.#seen
  }

  get standing(): Standing {
    return this.#standing
  }

  /** Behind the last transaction that was seen whole. */
  get position(): string | undefined {
    return this.#position
  }

  get isOn(): boolean {
    return this.#stop !== undefined
  }

  /** From behind a position, or from now on. Comes back when it is cut off, from where it was. */
  async follow(selection: Selection, from: string | undefined): Promise<void> {
    this.#stop?.abort()
    const stop = new AbortController()
    const { signal } = stop
    this.#stop = stop
    this.#position = from
    this.#become({ kind: 'opening' })
    while (!signal.aborted) {
      const failure = await this.#read(selection, signal)
      if (signal.aborted) return
      if (failure instanceof Problem && failure.status < 500) return this.#fail(failure.report)
      this.#become({ kind: 'waiting', error: failure?.report })
      await waited(RETRY_MS, signal)
    }
  }

  /** What comes meanwhile is not missed: `follow` goes on from `position`. */
  pause(): void {
    this.#stop?.abort()
    this.#stop = undefined
    this.#become({ kind: 'paused' })
  }

  clear(): void {
    this.#seen = []
    this.total = 0
    this.#onChange()
  }

  async #read(selection: Selection, signal: AbortSignal): Promise<Problem | undefined> {
    try {
      await readEvents(pathOf(selection, this.#position), { signal, onOpen: () => this.#become({ kind: 'following' }), onMessage: (message) => { if (!signal.aborted) this.#take(message) } })
      return undefined
    } catch (error) {
      return error instanceof Problem ? error : undefined
    }
  }

  #take({ event, data, id }: EventMessage): void {
    if (id !== undefined) this.#position = id
    if (event !== 'change') return
    this.total += 1
    this.#seen = [{ number: this.total, atMs: Date.now(), change: parseChange(data) }, ...this.#seen.slice(0, KEPT - 1)]
    this.#onChange()
  }

  #fail(error: ErrorReport): void {
    this.#stop = undefined
    this.#become({ kind: 'failed', error })
  }

  #become(standing: Standing): void {
    this.#standing = standing
    this.#onChange()
  }
}

function pathOf({ stream, source, tables }: Selection, position: string | undefined): string {
  const query = new URLSearchParams({ stream, source, ...(tables === '' ? {} : { tables }), ...(position === undefined ? {} : { lastEventId: position }) })
  return `changes?${query}`
}

function waited(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    }, { once: true })
  })
}
