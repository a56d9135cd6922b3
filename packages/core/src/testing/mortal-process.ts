import type { StateStore } from '../state/state-store.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'

/**
 * A process that ends at one of the moments around its effects, of which each has one before it and one after: from then on nothing that it calls works any
 * more. Run a job again and again, ended at the first moment, the second, and so on up to `moments` of a life that was not ended, and every crash has been tried.
 */
export class MortalProcess {
  /** Passed so far. */
  moments = 0
  readonly #diesAt: number

  /** `diesAt` counts from 1. Default: never. */
  constructor(diesAt = Number.POSITIVE_INFINITY) {
    this.#diesAt = diesAt
  }

  get isDead(): boolean {
    return this.moments >= this.#diesAt
  }

  /** A moment. Errors: plain ones, from the one at which it dies. */
  pass(): void {
    if (!this.isDead) this.moments += 1
    this.#live()
  }

  /** The storage as this process has it. */
  storage(storage: ObjectStorage): ObjectStorage {
    const { listUploads, presignGet } = storage
    return {
      name: storage.name, address: storage.address, capabilities: storage.capabilities,
      put: (...given) => this.#effect(() => storage.put(...given)),
      delete: (...given) => this.#effect(() => storage.delete(...given)),
      createUpload: (...given) => this.#effect(() => storage.createUpload(...given)),
      putPart: (...given) => this.#effect(() => storage.putPart(...given)),
      completeUpload: (...given) => this.#effect(() => storage.completeUpload(...given)),
      abortUpload: (...given) => this.#effect(() => storage.abortUpload(...given)),
      head: (...given) => this.#reading(() => storage.head(...given)),
      get: (...given) => this.#reading(() => storage.get(...given)),
      list: (...given) => this.#reading(() => storage.list(...given)),
      ...(listUploads === undefined ? {} : { listUploads: (...given) => this.#reading(() => listUploads.apply(storage, given)) }),
      ...(presignGet === undefined ? {} : { presignGet: (...given) => this.#reading(() => presignGet.apply(storage, given)) }),
    }
  }

  /** The store as this process has it. A save is an effect like any other. */
  store(store: StateStore): StateStore {
    return {
      get: (...given) => this.#reading(() => store.get(...given)),
      list: (...given) => this.#reading(() => store.list(...given)),
      set: (...given) => this.#effect(() => store.set(...given)),
      delete: (...given) => this.#effect(() => store.delete(...given)),
    }
  }

  async #effect<T>(work: () => Promise<T>): Promise<T> {
    this.pass()
    const result = await work()
    this.pass()
    return result
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    this.#live()
    return await work()
  }

  #live(): void {
    if (this.isDead) throw new Error('The process was ended by its test.')
  }
}
