/** What comes of the work, or `silence` when it takes longer. */
export async function within<T>(work: Promise<T>, limitMs: number): Promise<T | 'silence'> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<'silence'>((resolve) => { timer = setTimeout(() => resolve('silence'), limitMs) })
  try {
    return await Promise.race([work, silence])
  } finally {
    clearTimeout(timer)
  }
}
