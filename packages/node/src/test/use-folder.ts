import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'

/** A new folder for each test, gone afterwards: gives paths in it. */
export function useFolder(): (name: string) => string {
  let folder: string | undefined
  afterEach(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
    folder = undefined
  })
  return (name) => join(folder ??= mkdtempSync(join(tmpdir(), 'tidemark-test-')), name)
}
