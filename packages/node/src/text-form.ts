import { DatabaseSync } from 'node:sqlite'
import { isUsable } from './require-node-sqlite.ts'

let found: 'string' | 'bytes' | undefined

/** How texts come without loss: strings of node:sqlite end at a NUL in Deno (2.9) and in Node up to 24.11. There they are read as bytes, at the price of decoding them here. */
export function textForm(): 'string' | 'bytes' {
  found ??= keepsNul() ? 'string' : 'bytes'
  return found
}

function keepsNul(): boolean {
  // One that is there only by name, as on Workers, is for the driver to refuse.
  if (!isUsable()) return true
  const database = new DatabaseSync(':memory:')
  try {
    return database.prepare(`SELECT 'a' || char(0) || 'b' AS text`).get()?.['text'] === 'a\0b'
  } finally {
    database.close()
  }
}
