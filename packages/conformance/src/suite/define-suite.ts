import type { ConformanceCase, ConformanceSubject, Selection } from './conformance-case.ts'
import { runCase } from './run-cases.ts'
import { selectCases } from './select-cases.ts'
import type { SuiteRunner } from './suite-runner.ts'

/** Registers every selected case with a test runner. */
export function defineSuite<Traits, Harness extends AsyncDisposable>(
  runner: SuiteRunner,
  suite: { readonly title: string; readonly cases: readonly ConformanceCase<Traits, Harness>[] },
  subject: ConformanceSubject<Traits, Harness>,
  selection?: Selection,
): void {
  const selected = selectCases(suite.cases, subject.traits, selection)
  runner.describe(`${suite.title}: ${subject.name}`, () => {
    for (const { case: one, applies } of selected) {
      const name = `${one.id} ${one.title}`
      if (applies === true) runner.test(name, () => runCase(one, subject))
      else runner.skip(name, applies)
    }
  })
}
