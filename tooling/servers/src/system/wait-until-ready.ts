import { setTimeout as sleep } from 'node:timers/promises'

const READY_TIMEOUT_MS = 90_000

/**
 * Asks until the server answers: the one poll of this package, since a server has no other way to say that it is
 * ready. Rejects with the last refusal when it takes longer than 90 s.
 */
export async function waitUntilReady(probe: () => Promise<void>, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS
  for (let delayMs = 20; signal?.aborted !== true; delayMs = Math.min(delayMs * 1.5, 250)) {
    try {
      await probe()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    await sleep(delayMs)
  }
}
