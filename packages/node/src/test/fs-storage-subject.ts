import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StorageSubject } from '@tidemark/conformance'
import { fsStorage } from '../storage/fs-storage.ts'

const FACTS = { partBytes: 8, tellsPartSizes: true, nestsKeys: false, wrongSecret: false, wrongBucket: true }

/** A folder as a subject of the suite. */
export function fsStorageSubject(): StorageSubject {
  return {
    name: 'a folder',
    traits: { capabilities: fsStorage('.', { create: false }).capabilities, facts: FACTS },
    open: () => {
      const folder = mkdtempSync(join(tmpdir(), 'tidemark-storage-'))
      return Promise.resolve({
        storage: fsStorage(join(folder, 'made')),
        facts: FACTS,
        wrongBucket: () => fsStorage(join(folder, 'none'), { create: false }),
        [Symbol.asyncDispose]: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
      })
    },
  }
}
