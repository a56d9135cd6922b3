/** Asks for the next item while one is being used: what makes them and what uses them work side by side. Holds one more than without. */
export async function* ahead<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  const ask = (): Promise<IteratorResult<T>> => {
    const next = iterator.next()
    // Its error is told when its turn comes; until then nobody waits for it.
    next.catch(() => undefined)
    return next
  }
  try {
    for (let next = ask(); ;) {
      const item = await next
      if (item.done === true) return
      next = ask()
      yield item.value
    }
  } finally {
    await iterator.return?.()
  }
}
