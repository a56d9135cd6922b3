import type { LogRetention } from '@tidemark/core/adapter'

/** What one look gives. */
export type RetentionLook = Omit<LogRetention, 'bytesPerSecond' | 'exhaustedInMs'>

interface Mark {
  readonly atMs: number
  readonly bytes: number
}

/** Looks that are older say nothing of how it is going now. */
const WINDOW_MS = 300_000

/** How fast what is kept grows, over the looks of the last minutes, and when it comes to its limit. */
export class RetentionMeter {
  #marks: Mark[] = []

  observe(look: RetentionLook, nowMs: number): LogRetention {
    const bytesPerSecond = this.#rate({ atMs: nowMs, bytes: look.retainedBytes })
    return { ...look, bytesPerSecond, exhaustedInMs: exhaustion(look, bytesPerSecond) }
  }

  #rate(now: Mark): number | undefined {
    this.#marks = this.#marks.filter(({ atMs }) => now.atMs - atMs <= WINDOW_MS && atMs < now.atMs)
    const first = this.#marks[0]
    this.#marks.push(now)
    return first === undefined ? undefined : (now.bytes - first.bytes) * 1000 / (now.atMs - first.atMs)
  }
}

function exhaustion({ retainedBytes, safeBytes, maxRetainedBytes }: RetentionLook, bytesPerSecond: number | undefined): number | undefined {
  if (maxRetainedBytes === undefined || bytesPerSecond === undefined || bytesPerSecond <= 0) return undefined
  const left = Math.min(maxRetainedBytes - retainedBytes, safeBytes ?? Infinity)
  return Math.max(0, left) * 1000 / bytesPerSecond
}
