/** What a failed case throws. Carries both sides where there are two, so that a runner can print a difference. */
export class ConformanceError extends Error {
  override readonly name: string = 'ConformanceError'
  readonly actual: unknown
  readonly expected: unknown

  constructor(message: string, sides: { readonly actual?: unknown; readonly expected?: unknown } = {}) {
    super(message)
    this.actual = sides.actual
    this.expected = sides.expected
  }
}
