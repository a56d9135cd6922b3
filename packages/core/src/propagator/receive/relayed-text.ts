import * as v from 'valibot'
import type { PeerSender, RelayedFrom } from '../../dialect/propagation-target.ts'

const schema = v.tuple([v.string(), v.string(), v.boolean(), v.nullable(v.string()), v.string()])

/** What a receiver writes beside a change that it applies: the maker's name, and behind it what passing the change on needs. */
export function relayedText({ origin, epoch, sequence, isSnapshot, version }: RelayedFrom, via: string): { readonly origin: string; readonly detail: string } {
  return { origin, detail: JSON.stringify([epoch, sequence, isSnapshot, version ?? null, via]) }
}

export interface MarkedChange {
  readonly from: RelayedFrom
  /** Who sent it here, and so has it. */
  readonly via: string
}

/** The reverse, of a slice's `origin`. `undefined` for what another than a receiver has written. */
export function parseRelayed(text: string): MarkedChange | undefined {
  const end = text.indexOf('\n')
  if (end === -1) return undefined
  try {
    const parsed = v.safeParse(schema, JSON.parse(text.slice(end + 1)))
    if (!parsed.success) return undefined
    const [epoch, sequence, isSnapshot, version, via] = parsed.output
    return { from: { origin: text.slice(0, end), epoch, sequence, isSnapshot, version: version ?? undefined }, via }
  } catch {
    return undefined
  }
}

/** What is said of a change that the sender itself has made. */
export function ownChange({ origin, epoch }: PeerSender, place: Pick<RelayedFrom, 'sequence' | 'isSnapshot' | 'version'>): RelayedFrom {
  return { origin, epoch, ...place }
}
