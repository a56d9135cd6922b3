import { systemRuntime, TidemarkError } from '@tidemark/core/adapter'

/** SQLite's own waiting takes steps like these. */
const FIRST_WAIT_MS = 1
const LONGEST_WAIT_MS = 25

/**
 * Does what a lock of another connection may keep from being done, and tries again until it is free or the time is over. For drivers that are
 * synchronous: SQLite's own waiting (`busy_timeout`) blocks the thread, and with it a connection of the same thread that has the lock and could
 * give it back. So such a driver lets SQLite wait for nothing. Costs nothing where nothing is locked.
 *
 * `work` throws mapped errors. Errors: those, `TARGET_BUSY` when the time is over.
 */
export function whenFree<T>(work: () => T, timeoutMs: number): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return isBusy(error) && timeoutMs > 0 ? tryAgain(work, timeoutMs) : Promise.reject(error)
  }
}

async function tryAgain<T>(work: () => T, timeoutMs: number): Promise<T> {
  const { now, sleep } = systemRuntime()
  const untilMs = now() + timeoutMs
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    await sleep(waitMs)
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || now() >= untilMs) throw error
    }
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof TidemarkError && error.code === 'TARGET_BUSY'
}
