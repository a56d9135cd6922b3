import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ByteRange } from './object-storage.ts'

/** A range within an object. Errors: `CONFIG_INVALID` for one that begins behind its end, or is none. */
export function resolveRange(range: ByteRange | undefined, bytes: number): { readonly start: number; readonly end: number } {
  const { start, end = bytes } = range ?? { start: 0 }
  const isFit = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && end >= start && (start < bytes || (start === 0 && bytes === 0))
  if (!isFit) throw new TidemarkError('CONFIG_INVALID', 'The range is not within the object.', { issues: [{ path: 'range', message: 'Must begin within the object.' }] })
  return { start, end: Math.min(end, bytes) }
}
