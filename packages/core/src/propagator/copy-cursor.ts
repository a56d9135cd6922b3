import { TidemarkError } from '../errors/tidemark-error.ts'

/** How far a table's copy has come: its rows first, then, where several instances write, those that are gone. */
export interface CopyCursor {
  readonly part: 'rows' | 'tombstones'
  /** Of that part, as who reads it has it; `null`: from its beginning. */
  readonly after: string | null
}

const LETTERS = { rows: 'r', tombstones: 't' } as const

/** As text for the peer, which keeps it and gives it back as it came. */
export function printCopyCursor({ part, after }: CopyCursor): string {
  return `${LETTERS[part]}${after ?? ''}`
}

/** Errors: `PEER_ANSWER_INVALID` for a text that was never given to a peer. */
export function parseCopyCursor(text: string | null): CopyCursor {
  if (text === null) return { part: 'rows', after: null }
  const rest = text.slice(1)
  if (text.startsWith(LETTERS.rows)) return { part: 'rows', after: rest }
  if (text.startsWith(LETTERS.tombstones)) return { part: 'tombstones', after: rest === '' ? null : rest }
  throw new TidemarkError('PEER_ANSWER_INVALID', 'The peer goes on with a copy where none has stopped.')
}
