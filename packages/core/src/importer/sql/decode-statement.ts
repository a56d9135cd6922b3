import type { ImportStatement } from '../../dialect/import-target.ts'
import type { SplitStatement } from './statement-splitter.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** As text. `undefined` where it isn't any: bytes that are no UTF-8 would be changed, and what stands behind a NUL is left out by engines. */
export function decodeStatement({ bytes, offset }: SplitStatement, base = 0): ImportStatement | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return { sql: decoder.decode(bytes), offset: base + offset }
  } catch {
    return undefined
  }
}
