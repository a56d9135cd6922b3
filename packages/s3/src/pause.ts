import { abortable } from '@tidemark/core/adapter'

/** Errors: `ABORTED`, at once. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  try {
    await abortable(new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms)
    }), signal)
  } finally {
    // A host that gives up does not wait for it.
    clearTimeout(timer)
  }
}
