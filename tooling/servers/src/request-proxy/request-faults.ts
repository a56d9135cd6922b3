import { seededRandom } from '../fault-proxy/seeded-random.ts'

export const REQUEST_FAULT_KINDS = ['cut-before', 'cut-after', 'hang', 'delay', 'duplicate', 'replay', 'busy', 'garble'] as const

/**
 * What becomes of a request. `cut-before`: the connection ends and the server never sees it. `cut-after`: the server answers, and nobody hears
 * it. `hang`: no answer ever; the server gets it or not. `delay`: it comes late, perhaps after the sender has given it up and sent others.
 * `duplicate`: the server gets it twice at once. `replay`: after it an older one comes again. `busy`: 503 from something in between.
 * `garble`: the server does it, and the answer is something else's.
 */
export type RequestFaultKind = (typeof REQUEST_FAULT_KINDS)[number]

export interface RequestFault {
  readonly kind: RequestFaultKind
  /** Of what is late, in milliseconds. */
  readonly delayMs: number
  /** In [0, 1): which old request is replayed, whether a hanging one is delivered, what is answered in place of the answer. */
  readonly choice: number
}

export interface RequestFaultPlan {
  readonly seed: number
  /** In [0, 1]: how many requests have a fault. */
  readonly rate: number
  readonly maxDelayMs: number
  /** Requests behind this one have none. Default: no end. */
  readonly upTo?: number | undefined
  /** Default: all. */
  readonly kinds?: readonly RequestFaultKind[] | undefined
}

/** Depends on the plan and the request's number only, so that a seed says what happens to the nth request. */
export function requestFaultOf({ seed, rate, maxDelayMs, upTo = Number.POSITIVE_INFINITY, kinds = REQUEST_FAULT_KINDS }: RequestFaultPlan, number: number): RequestFault | undefined {
  const random = seededRandom(seed, number)
  if (number > upTo || random() >= rate) return undefined
  const kind = kinds[Math.floor(random() * kinds.length)]
  return kind === undefined ? undefined : { kind, delayMs: Math.floor(random() * maxDelayMs), choice: random() }
}
