import * as v from 'valibot'
import type { RelayedFrom } from '../../dialect/propagation-target.ts'

const schema = v.object({
  epoch: v.string(), sequence: v.string(), after: v.optional(v.string()), copy: v.optional(v.object({ via: v.string(), number: v.string() })), version: v.optional(v.string()), sentBy: v.string(),
})

/** What a receiver writes beside a change that it applies: the maker's name, and behind it what passing the change on needs. */
export function relayedText({ origin, ...rest }: RelayedFrom, sentBy: string): { readonly origin: string; readonly detail: string } {
  return { origin, detail: JSON.stringify({ ...rest, sentBy }) }
}

export interface MarkedChange {
  readonly from: RelayedFrom
  /** Who sent it here, and so has it. */
  readonly sentBy: string
}

/** The reverse, of a slice's `origin`. `undefined` for what another than a receiver has written. */
export function parseRelayed(text: string): MarkedChange | undefined {
  const end = text.indexOf('\n')
  if (end === -1) return undefined
  try {
    const parsed = v.safeParse(schema, JSON.parse(text.slice(end + 1)))
    if (!parsed.success) return undefined
    const { sentBy, ...rest } = parsed.output
    return { from: { origin: text.slice(0, end), ...rest }, sentBy }
  } catch {
    return undefined
  }
}
