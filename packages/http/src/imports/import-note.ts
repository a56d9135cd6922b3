import { TidemarkError, type ErrorReport, type ImportStatus, type StateStore } from '@tidemark/core'

/** What is remembered of an import. The target holds where it goes on; this is for who asks how it stands. No row value, no secret. */
export interface ImportNote extends Omit<ImportStatus, 'status' | 'totalRows'> {
  readonly version: 1
  /** `stopped`: before its end, by a call or with the handler. */
  readonly status: 'loading' | 'completed' | 'failed' | 'stopped'
  /** Whether everything is loaded, and only the end was to come. */
  readonly isLoaded?: boolean | undefined
  readonly totalRows?: number | undefined
  readonly error?: ErrorReport | undefined
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  readonly updatedAtMs: number
}

const PREFIX = 'http-import/'
const MAX_TRIES = 5

/** Notes in a {@link StateStore}. The last one written counts, since whoever else is at the same import sees the same target; but one of the end stays, until it is forgotten. */
export class ImportNotes {
  readonly #store: StateStore

  constructor(store: StateStore) {
    this.#store = store
  }

  async get(id: string): Promise<ImportNote | undefined> {
    const stored = await this.#store.get(PREFIX + id)
    if (stored === undefined) return undefined
    const note = parsed(stored.value)
    if (note.version > 1) throw new TidemarkError('STATE_NEWER', `The note of the import has version ${note.version}; this release knows 1.`)
    return note
  }

  /** Nothing is written over the end: who was slow, and does not know of it, would have all of it loaded again. Errors: `STATE_CONFLICT` where others write all the time. */
  async put(note: ImportNote): Promise<void> {
    const key = PREFIX + note.importId
    for (let tries = 1; ; tries += 1) {
      const before = await this.#store.get(key)
      if (before !== undefined && note.status !== 'completed' && parsed(before.value).status === 'completed') return
      const isWritten = await this.#store.set(key, JSON.stringify(note), before?.version).then(() => true, (error: unknown) => unlessConflict(error, tries))
      if (isWritten) return
    }
  }

  /** Newest first. */
  async list(): Promise<readonly ImportNote[]> {
    const ids = (await this.#store.list(PREFIX)).map((key) => key.slice(PREFIX.length))
    const notes = await Promise.all(ids.map((id) => this.get(id)))
    return notes.filter((note) => note !== undefined).toSorted((a, b) => b.createdAtMs - a.createdAtMs)
  }

  delete(id: string): Promise<void> {
    return this.#store.delete(PREFIX + id)
  }
}

function parsed(text: string): ImportNote {
  return JSON.parse(text) as ImportNote // written by `put`
}

function unlessConflict(error: unknown, tries: number): false {
  if (error instanceof TidemarkError && error.code === 'STATE_CONFLICT' && tries < MAX_TRIES) return false
  throw error
}
