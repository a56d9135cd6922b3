/** The part of a test runner that the suites need. Bindings exist for vitest and for runners shaped like `node:test`. */
export interface SuiteRunner {
  describe(name: string, body: () => void): void
  test(name: string, body: () => Promise<void>): void
  /** Reports a case that does not apply, with the reason. */
  skip(name: string, reason: string): void
}
