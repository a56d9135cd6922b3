import * as v from 'valibot'
import type { LogPosition, Sequence } from '../../change/log-position.ts'
import type { PeerAnswer, PeerTableState } from '../../dialect/propagation-target.ts'
import { ERRORS, type ErrorCode } from '../../errors/error-codes.ts'
import { TidemarkError, type ErrorReport } from '../../errors/tidemark-error.ts'
import { WIRE_VERSION } from './encode-message.ts'
import { sequence } from './sequence-schema.ts'

const MAX_CHARACTERS = 1_000

const code = v.custom<ErrorCode>((value) => typeof value === 'string' && Object.hasOwn(ERRORS, value))
/** A peer may say what it likes; events and logs have no room for all of it. */
const sentence = v.pipe(v.string(), v.transform((text) => text.slice(0, MAX_CHARACTERS)))
const report = v.object({ code, message: sentence, retryable: v.boolean(), remedy: sentence, detail: v.optional(sentence) })
const state = v.variant('state', [
  v.object({ state: v.literal('live') }),
  v.object({ state: v.literal('copying'), after: v.nullable(v.string()) }),
  v.object({ state: v.literal('refused'), error: report }),
])
/** Tables as a list: a record of names such as `constructor` is none that a validator lets through. */
const schema = v.object({
  v: v.literal(WIRE_VERSION), outcome: v.picklist(['applied', 'elsewhere', 'unknown']), origin: v.optional(v.string()),
  at: v.nullable(v.tuple([v.string(), sequence, v.string()])), isCommit: v.boolean(), tables: v.array(v.tuple([v.string(), state])),
})
const failure = v.object({ v: v.literal(WIRE_VERSION), error: report })

export function encodeAnswer({ outcome, origin, at, isCommit, tables }: PeerAnswer): string {
  return JSON.stringify({ v: WIRE_VERSION, outcome, origin, at: at === null ? null : [at.epoch, at.sequence, at.detail], isCommit, tables: Object.entries(tables) })
}

export function encodeFailure(error: TidemarkError): string {
  return JSON.stringify({ v: WIRE_VERSION, error: error.toJSON() })
}

/** `undefined` for what is no answer of a receiver. */
export function decodeAnswer(body: string): PeerAnswer | undefined {
  const parsed = v.safeParse(schema, parse(body))
  if (!parsed.success) return undefined
  const { outcome, origin, at, isCommit, tables } = parsed.output
  const states = tables.map(([name, entry]): [string, PeerTableState] => [name, entry.state === 'refused' ? { state: 'refused', error: toReport(entry.error) } : entry])
  return { outcome, origin, isCommit, at: at === null ? null : toPosition(at), tables: Object.fromEntries(states) }
}

/** What a receiver says went wrong; `undefined` where it is no receiver that speaks. */
export function decodeFailure(body: string): TidemarkError | undefined {
  const parsed = v.safeParse(failure, parse(body))
  if (!parsed.success) return undefined
  const { code: known, message, remedy, detail } = parsed.output.error
  return new TidemarkError(known, message, { remedy, detail })
}

/** A place of our own log, which is looked up there before it is believed. */
function toPosition([epoch, sequence, detail]: readonly [string, string, string]): LogPosition {
  return { epoch, sequence: sequence as Sequence, detail }
}

function toReport({ detail, ...rest }: v.InferOutput<typeof report>): ErrorReport {
  return { ...rest, detail }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
