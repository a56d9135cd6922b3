import type { ObjectStorage, StateStore } from '@tidemark/core/adapter'
import { memoryStorage, type MemoryObjects } from '@tidemark/core/testing'

/** The end of a process, at one of the moments around its effects: nothing that it calls works any more. */
export class Process {
  /** Moments so far. */
  count = 0
  readonly #diesAt: number

  constructor(diesAt = Number.POSITIVE_INFINITY) {
    this.#diesAt = diesAt
  }

  get isDead(): boolean {
    return this.count >= this.#diesAt
  }

  /** Errors: plain ones, as long as it is dead. */
  pass(): void {
    if (!this.isDead) this.count += 1
    if (this.isDead) throw new Error('killed by the test')
  }

  storage(state: MemoryObjects): ObjectStorage {
    return memoryStorage({ state, minPartBytes: 500, onMoment: ({ isEffect }) => (isEffect || this.isDead ? this.pass() : undefined) })
  }

  /** A save is an effect with a moment before and one after it, like any other. */
  store(store: StateStore): StateStore {
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      this.pass()
      const result = await work()
      this.pass()
      return result
    }
    const reading = async <T>(work: () => Promise<T>): Promise<T> => {
      if (this.isDead) this.pass()
      return await work()
    }
    return {
      get: (key) => reading(() => store.get(key)),
      list: (prefix) => reading(() => store.list(prefix)),
      set: (key, value, expected) => around(() => store.set(key, value, expected)),
      delete: (key) => around(() => store.delete(key)),
    }
  }
}
