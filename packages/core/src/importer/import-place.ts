import * as v from 'valibot'
import { TidemarkError } from '../errors/tidemark-error.ts'

const count = v.pipe(v.number(), v.integer(), v.minValue(0))

const placeSchema = v.object({
  v: v.literal(1),
  /** Says whether it is still the same dump: its digest, or a file's etag. */
  dump: v.string(),
  /** The object at hand, by its number in the manifest. */
  object: count,
  /** How many of its chunks are loaded. */
  chunk: count,
  /** Bytes of a file, or rows of an object of rows, that are loaded. */
  offset: count,
  /** Of an object of rows: a place before its `offset` at which decoding can begin, and how many rows are before that. Absent: its first byte. */
  entry: v.optional(v.object({ byte: count, row: count })),
  /** Loaded so far, of everything. */
  rows: count,
  bytes: count,
})

/** Where an import goes on. Stored in the target, in the transaction that brought it there. */
export type ImportPlace = v.InferOutput<typeof placeSchema>

export function firstPlace(dump: string): ImportPlace {
  return { v: 1, dump, object: 0, chunk: 0, offset: 0, rows: 0, bytes: 0 }
}

/** Errors: `DUMP_CORRUPT` when the import began with another dump of this name; `STATE_CORRUPT`. */
export function readPlace(text: string, dump: string): ImportPlace {
  const parsed = v.safeParse(placeSchema, parseJson(text))
  if (!parsed.success) throw new TidemarkError('STATE_CORRUPT', 'What the target holds of this import can\'t be read.')
  if (parsed.output.dump !== dump) throw new TidemarkError('DUMP_CORRUPT', 'The dump is another than the one with which this import began.', { remedy: 'Put the first one back, or load into an empty database.' })
  return parsed.output
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
