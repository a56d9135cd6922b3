import type { CallbackState, ExportState } from '../export-state.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Time before each try (Standard Webhooks, "Retry schedule"): about three days in all. */
const DELAYS_MS = [0, 5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 14 * HOUR_MS, 20 * HOUR_MS, 24 * HOUR_MS] as const

/** No server keeps us waiting for longer. */
const MAX_RETRY_AFTER_MS = 24 * HOUR_MS

/** Share of a delay that is random, so that many exports do not come back at once. */
const JITTER = 0.1

export function isCallbackDue({ callback }: Pick<ExportState, 'callback'>, nowMs: number): boolean {
  return callback?.outcome === 'pending' && (callback.nextAtMs ?? 0) <= nowMs
}

export interface NextTry {
  readonly nowMs: number
  readonly random: number
  /** As the server asked for. */
  readonly retryAfterMs: number | undefined
}

/** When to try again after this many tries; `undefined`: never. */
export function nextCallbackAtMs({ attempts }: Pick<CallbackState, 'attempts'>, { nowMs, random, retryAfterMs }: NextTry): number | undefined {
  const delayMs = DELAYS_MS[attempts]
  if (delayMs === undefined) return undefined
  const wanted = Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)
  return nowMs + Math.max(wanted, Math.round(delayMs * (1 + JITTER * random)))
}

/** `Retry-After` (RFC 9110, 10.2.3): seconds or a date. */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  if (/^\d+$/.test(header.trim())) return Number(header) * 1_000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
