import type { SuiteRunner } from './suite-runner.ts'

/** The shape of `node:test`, `bun:test`'s compatible module and alike: options stand before the body. */
export interface NodeTestModule {
  describe(name: string, body: () => void): unknown
  test(name: string, options: { readonly skip?: string }, body: () => Promise<void>): unknown
}

/** Binds the suites to `node:test`: `nodeTestRunner(await import('node:test'))`. */
export function nodeTestRunner(module: NodeTestModule): SuiteRunner {
  return {
    describe: (name, body) => void module.describe(name, body),
    test: (name, body) => void module.test(name, {}, body),
    skip: (name, reason) => void module.test(name, { skip: reason }, async () => {}),
  }
}
