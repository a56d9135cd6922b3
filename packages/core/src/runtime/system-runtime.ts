import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Runtime, Wakeup } from './runtime.ts'

/** `setTimeout` counts in 32 bits; a longer delay would fire at once. */
const MAX_TIMER_MS = 2_147_483_647

/** The host's own clock and timers: Node, Bun, Deno, browsers. A pending wake-up keeps the process alive. */
export function systemRuntime(): Runtime {
  const kept = new Set<Promise<unknown>>()
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    sleep,
    waitUntil: (work) => {
      kept.add(work)
      void work.catch(() => undefined).then(() => kept.delete(work))
    },
    wakeAfter: (_name, delayMs, handler) => wakeAfter(delayMs, handler),
  }
}

function wakeAfter(delayMs: number, handler: () => Promise<void>): Wakeup {
  const handle = delayMs > MAX_TIMER_MS
    ? setTimeout(() => { rest = wakeAfter(delayMs - MAX_TIMER_MS, handler) }, MAX_TIMER_MS)
    : setTimeout(() => void handler(), Math.max(0, delayMs))
  let rest: Wakeup | undefined
  return {
    cancel: () => {
      clearTimeout(handle)
      rest?.cancel()
    },
  }
}

function sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(aborted())
    const finish = (settle: () => void): void => {
      clearTimeout(handle)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const onAbort = (): void => finish(() => reject(aborted()))
    const handle = setTimeout(() => finish(resolve), Math.min(delayMs, MAX_TIMER_MS))
    signal?.addEventListener('abort', onAbort)
  })
}

function aborted(): TidemarkError {
  return new TidemarkError('ABORTED', 'The wait was aborted.')
}
