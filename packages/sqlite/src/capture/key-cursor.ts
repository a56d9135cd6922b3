import { decodeValue, encodeValue, TidemarkError, type Value } from '@tidemark/core/adapter'

export interface KeyCursor {
  readonly key: readonly Value[]
  /** The schema's version under which the key holds; `undefined`: under any. */
  readonly version: number | undefined
}

/** The place in a table as text. */
export function encodeKey(key: readonly Value[], version: number | undefined): string {
  return JSON.stringify({ key: key.map(encodeValue), ...(version === undefined ? {} : { version }) })
}

/** Errors: `STATE_CORRUPT`. */
export function decodeKey(text: string): KeyCursor {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && 'key' in parsed && Array.isArray(parsed.key)) {
      const version = 'version' in parsed && typeof parsed.version === 'number' ? parsed.version : undefined
      return { key: parsed.key.map(decodeValue), version }
    }
  } catch {
    // What it was is said below, without quoting it.
  }
  throw new TidemarkError('STATE_CORRUPT', 'The checkpoint\'s place in a table can not be read.')
}
