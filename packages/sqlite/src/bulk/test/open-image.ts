import { DatabaseSync } from 'node:sqlite'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface OpenImage extends Disposable {
  readonly database: DatabaseSync
}

/** Writes an image to a file, opens it with SQLite and attaches it as `image` to an empty database. */
export function openImage(image: Uint8Array): OpenImage {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-image-'))
  const file = join(folder, 'image.db')
  writeFileSync(file, image)
  const database = new DatabaseSync(join(folder, 'main.db'))
  database.prepare('ATTACH ? AS image').run(file)
  return {
    database,
    [Symbol.dispose]: () => {
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}

/** All cells with their storage classes, in rowid order; integers as bigint. */
export function cellsOf(database: DatabaseSync, table: string, columns: number): readonly (readonly unknown[])[] {
  const list = Array.from({ length: columns }, (_, index) => `c${index}, typeof(c${index})`).join(', ')
  const statement = database.prepare(`SELECT ${list} FROM ${table} ORDER BY rowid`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  return statement.all() as unknown as readonly (readonly unknown[])[]
}
