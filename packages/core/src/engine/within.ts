import type { Runtime } from '../runtime/runtime.ts'

/** Waits for the work, but no longer than this. Resolves whatever becomes of it, and leaves no timer behind. */
export async function within(runtime: Runtime, ms: number, work: Promise<unknown>): Promise<void> {
  const end = new AbortController()
  const time = runtime.sleep(ms, end.signal).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), time])
  end.abort()
}
