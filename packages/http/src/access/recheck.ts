export interface RecheckOptions {
  readonly everyMs: number
  /** Called once, with what the check threw. */
  readonly onRefused: (error: unknown) => void
}

/** Asks again and again whether something that lasts is still allowed, until the returned function is called. */
export function recheck(check: () => Promise<void>, { everyMs, onRefused }: RecheckOptions): () => void {
  let isOver = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => { timer = setTimeout(() => void ask(), everyMs) }
  const ask = async (): Promise<void> => {
    const refusal = await check().then(() => undefined, (error: unknown) => ({ error }))
    if (isOver) return
    if (refusal === undefined) return wait()
    isOver = true
    onRefused(refusal.error)
  }
  wait()
  return () => {
    isOver = true
    clearTimeout(timer)
  }
}
