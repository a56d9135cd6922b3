import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder {
  /** A path in it. */
  path(...names: readonly string[]): string
  remove(): Promise<void>
}

/** A folder for one case of the suite. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-conformance-'))
  return { path: (...names) => join(folder, ...names), remove: () => rm(folder, { recursive: true, force: true }) }
}
