import { TidemarkError } from '../errors/tidemark-error.ts'
import type { StateStore, StoredState } from './state-store.ts'

/** State for as long as the object lives: for tests, and for what may be forgotten with the process. */
export function memoryStateStore(): StateStore {
  const states = new Map<string, StoredState>()
  return {
    get: (key) => Promise.resolve(states.get(key)),
    set: (key, value, expected) => {
      const current = states.get(key)?.version
      if (current !== expected) return Promise.reject(new TidemarkError('STATE_CONFLICT', 'Another writer was faster.'))
      const version = (current ?? 0) + 1
      states.set(key, { value, version })
      return Promise.resolve(version)
    },
    delete: (key) => Promise.resolve(void states.delete(key)),
    list: (prefix) => Promise.resolve([...states.keys()].filter((key) => key.startsWith(prefix)).sort()),
  }
}
