import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ManifestTable } from './manifest.ts'

/** `row` from 1. */
export function undecodable({ name }: ManifestTable, row: number, reason: string): TidemarkError {
  return new TidemarkError('DUMP_CORRUPT', `Row ${row} of an object of '${name}' can't be decoded. ${reason}`, { detail: `${name}#${row}` })
}
