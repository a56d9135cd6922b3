import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { ImageFile } from '@tidemark/sqlite'

/** Writes an image beside the database, so that it never crosses file systems; for a memory database in the temporary folder. */
export async function writeImageFile(image: Uint8Array, databasePath: string): Promise<ImageFile> {
  const parent = databasePath === ':memory:' ? tmpdir() : dirname(databasePath)
  const folder = await mkdtemp(join(parent, '.tidemark-load-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  const path = join(folder, 'image.db')
  try {
    await writeFile(path, image)
  } catch (error) {
    await remove()
    throw error
  }
  return { path, [Symbol.asyncDispose]: remove }
}
