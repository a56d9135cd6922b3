import { ConformanceError } from './conformance-error.ts'

const LIMIT_MS = 15_000
const PAUSE_MS = 20

/**
 * Repeats `attempt` until it gives a value. For what a server does in its own time, such as a snapshot that other
 * sessions of the same server hold back.
 */
export async function eventually<T>(attempt: () => Promise<T | undefined>, what: string): Promise<T> {
  const deadlineMs = Date.now() + LIMIT_MS
  for (;;) {
    const value = await attempt()
    if (value !== undefined) return value
    if (Date.now() > deadlineMs) throw new ConformanceError(`${what}: not so after ${LIMIT_MS} ms`)
    await new Promise<void>((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
