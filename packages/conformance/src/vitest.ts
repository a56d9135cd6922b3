import { describe, test } from 'vitest'
import type { SuiteRunner } from './suite/suite-runner.ts'

/** Binds the suites to vitest. A case that does not apply is reported with its reason. */
export const vitestRunner: SuiteRunner = {
  describe: (name, body) => void describe(name, body),
  test: (name, body) => test(name, body),
  skip: (name, reason) => test(name, (context) => context.skip(reason)),
}
