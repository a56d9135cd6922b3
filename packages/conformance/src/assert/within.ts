import { ConformanceError } from './conformance-error.ts'

/**
 * The promise's outcome, or a failure when it has not settled in `limitMs`. Used only where settling at all is what
 * is tested: a limit stands for "never".
 */
export async function within<T>(limitMs: number, promise: Promise<T>, what: string): Promise<T> {
  let handle: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    handle = setTimeout(() => reject(new ConformanceError(`${what}: not settled after ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(handle)
  }
}
