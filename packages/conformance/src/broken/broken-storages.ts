import type { ObjectStorage } from '@tidemark/core/adapter'

/** A mistake that adapters make, and the cases that have to notice it: these and no others. */
export interface BrokenStorage {
  readonly name: string
  readonly wrap: (storage: ObjectStorage) => ObjectStorage
  readonly fails: readonly string[]
}

export const BROKEN_STORAGES: readonly BrokenStorage[] = [
  {
    name: 'takes the end of a range for its last byte',
    wrap: changing((storage) => ({
      get: (key, { range, signal } = {}) => storage.get(key, { signal, range: range?.end === undefined ? range : { start: range.start, end: range.end + 1 } }),
    })),
    fails: ['STO-7', 'STO-13'],
  },
  {
    name: 'shows an upload before it is complete',
    wrap: changing((storage) => ({
      putPart: async (request) => {
        const part = await storage.putPart(request)
        await storage.put(request.key, request.bytes)
        return part
      },
    })),
    fails: ['STO-6', 'STO-21', 'STO-24', 'STO-27'],
  },
  {
    name: 'loses the metadata of an upload',
    wrap: changing((storage) => ({ createUpload: (key, { metadata: _metadata, ...options } = {}) => storage.createUpload(key, options) })),
    fails: ['STO-21', 'STO-22'],
  },
  {
    name: 'lists one page only',
    wrap: changing((storage) => ({ list: async (request) => ({ ...await storage.list(request), next: undefined }) })),
    fails: ['STO-10'],
  },
  {
    name: 'fails to delete what is not there',
    wrap: changing((storage) => ({
      delete: async (key, options) => {
        await (await storage.get(key, options))[Symbol.asyncDispose]()
        await storage.delete(key, options)
      },
    })),
    fails: ['STO-1'],
  },
  {
    name: 'looks at no signal',
    wrap: changing((storage) => ({ put: (key, bytes, { signal: _signal, ...options } = {}) => storage.put(key, bytes, options) })),
    fails: ['STO-6'],
  },
  {
    name: 'takes bytes for text',
    wrap: changing((storage) => ({ put: (key, bytes, options) => storage.put(key, new TextEncoder().encode(new TextDecoder().decode(bytes)), options) })),
    fails: ['STO-13'],
  },
  {
    name: 'has one upload a key',
    wrap: changing((storage) => {
      const uploads = new Map<string, Promise<string>>()
      return {
        createUpload: (key, options) => {
          const known = uploads.get(key) ?? storage.createUpload(key, options)
          uploads.set(key, known)
          return known
        },
      }
    }),
    fails: ['STO-6', 'STO-30'],
  },
]

function changing(overrides: (storage: ObjectStorage) => Partial<ObjectStorage>): (storage: ObjectStorage) => ObjectStorage {
  return (storage) => {
    const { listUploads } = storage
    return {
      name: storage.name, address: storage.address, capabilities: storage.capabilities,
      put: (key, bytes, options) => storage.put(key, bytes, options), head: (key, options) => storage.head(key, options), get: (key, options) => storage.get(key, options), list: (request) => storage.list(request),
      delete: (key, options) => storage.delete(key, options), createUpload: (key, options) => storage.createUpload(key, options), putPart: (request) => storage.putPart(request),
      completeUpload: (request) => storage.completeUpload(request), abortUpload: (upload, options) => storage.abortUpload(upload, options),
      ...(listUploads === undefined ? {} : { listUploads: listUploads.bind(storage) }),
      ...overrides(storage),
    }
  }
}
