import type { PeerSender, RelayedFrom } from '../../dialect/propagation-target.ts'
import * as v from 'valibot'

const schema = v.tuple([v.string(), v.string(), v.boolean(), v.nullable(v.string())])

/** What a receiver writes beside a change that it applies: the sender's name, and behind it what passing the change on needs. */
export function relayedText({ origin, epoch, sequence, isSnapshot, version }: RelayedFrom): { readonly origin: string; readonly detail: string } {
  return { origin, detail: JSON.stringify([epoch, sequence, isSnapshot, version ?? null]) }
}

/** The reverse, of a slice's `origin`. `undefined` for what another than a receiver has written. */
export function parseRelayed(text: string): RelayedFrom | undefined {
  const end = text.indexOf('\n')
  if (end === -1) return undefined
  try {
    const parsed = v.safeParse(schema, JSON.parse(text.slice(end + 1)))
    if (!parsed.success) return undefined
    const [epoch, sequence, isSnapshot, version] = parsed.output
    return { origin: text.slice(0, end), epoch, sequence, isSnapshot, version: version ?? undefined }
  } catch {
    return undefined
  }
}

/** What is said of a change that the sender itself has made. */
export function ownChange({ origin, epoch }: PeerSender, place: Pick<RelayedFrom, 'sequence' | 'isSnapshot' | 'version'>): RelayedFrom {
  return { origin, epoch, ...place }
}
