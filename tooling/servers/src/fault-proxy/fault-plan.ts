import { seededRandom } from './seeded-random.ts'

/** What can happen to a connection. `none` is counted too: a run without a single fault proves nothing. */
export const FAULT_KINDS = ['reset', 'stall', 'fragment', 'delay', 'refuse'] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** Which way the bytes go that a fault counts. */
export type Direction = 'to-target' | 'to-client'

/** From which faults those of the connections are drawn. */
export interface FaultPlan {
  readonly kinds: readonly FaultKind[]
  /** Share of connections that get a fault, 0 to 1. Default 1. */
  readonly share?: number | undefined
  /** Bytes that pass before a reset or a stall, or that are sent one by one. Default 1 to 65536, small ones as likely as large. */
  readonly bytes?: readonly [minimum: number, maximum: number] | undefined
  /** Delay of each chunk in milliseconds. Default 5 to 50. */
  readonly delayMs?: readonly [minimum: number, maximum: number] | undefined
  /** Default: both, drawn. */
  readonly direction?: Direction | undefined
}

/** What happens to one connection. */
export type ConnectionFault =
  | { readonly kind: 'none' }
  /** Closed by RST as soon as it is accepted. */
  | { readonly kind: 'refuse' }
  /** Both sides get an RST after this many bytes. */
  | { readonly kind: 'reset'; readonly direction: Direction; readonly afterBytes: number }
  /** After this many bytes nothing passes any more, either way, and no side is told. */
  | { readonly kind: 'stall'; readonly direction: Direction; readonly afterBytes: number }
  /** This many bytes are sent one by one, the rest as it comes. */
  | { readonly kind: 'fragment'; readonly direction: Direction; readonly bytes: number }
  /** Each chunk is held back this long. */
  | { readonly kind: 'delay'; readonly direction: Direction; readonly delayMs: number }

/**
 * The fault of the connection with this number, from 0. It depends on nothing but its arguments: a run that printed
 * its seed is repeated by it, as far as its clients connect in the same order.
 */
export function faultOf(plan: FaultPlan | 'none', seed: number, connection: number): ConnectionFault {
  if (plan === 'none' || plan.kinds.length === 0) return { kind: 'none' }
  const random = seededRandom(seed, connection)
  if (random() >= (plan.share ?? 1)) return { kind: 'none' }
  const kind = plan.kinds[Math.floor(random() * plan.kinds.length)] ?? 'reset'
  const drawn: Direction = random() < 0.5 ? 'to-target' : 'to-client'
  const direction = plan.direction ?? drawn
  const bytes = logUniform(random(), plan.bytes ?? [1, 65_536])
  const [minimumMs, maximumMs] = plan.delayMs ?? [5, 50]
  const delayMs = minimumMs + Math.floor(random() * (maximumMs - minimumMs + 1))
  if (kind === 'refuse') return { kind }
  if (kind === 'delay') return { kind, direction, delayMs }
  return kind === 'fragment' ? { kind, direction, bytes } : { kind, direction, afterBytes: bytes }
}

/** A handshake has tens of bytes and a page tens of thousands: every order of magnitude gets its share. */
function logUniform(at: number, [minimum, maximum]: readonly [number, number]): number {
  const low = Math.max(1, minimum)
  return Math.min(maximum, Math.floor(low * ((maximum + 1) / low) ** at))
}
