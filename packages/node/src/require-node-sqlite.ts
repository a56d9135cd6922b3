import { StatementSync } from 'node:sqlite'
import { TidemarkError } from '@tidemark/core/adapter'

/**
 * Rows must come as arrays: as objects, columns of one name become one, and a column called `1` comes first, without a word. Node has them, and
 * tells whether a transaction is open, since 22.16. Errors: `NOT_SUPPORTED`.
 */
export function requireNodeSqlite(): void {
  if (isUsable()) return
  throw new TidemarkError('NOT_SUPPORTED', 'The runtime\'s node:sqlite gives rows as objects only.', { remedy: 'Use Node 22.16, Deno 2.9 or Bun 1.4 or newer.' })
}

/** On Workers the module is there, with classes that nothing can be done with. */
export function isUsable(): boolean {
  return StatementSync?.prototype !== undefined && 'setReturnArrays' in StatementSync.prototype
}
