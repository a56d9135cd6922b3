import type { ChangeSubject } from '../harness/change-harness.ts'
import type { Selection } from '../suite/conformance-case.ts'
import { defineSuite } from '../suite/define-suite.ts'
import type { SuiteRunner } from '../suite/suite-runner.ts'
import type { ChangeCase } from './change-case.ts'
import { envelopeCases, redeliveryCases } from './envelope-cases.ts'
import { sliceCases } from './slice-cases.ts'
import { changeValueCases } from './change-value-cases.ts'
import { keylessCases, rowCases } from './row-cases.ts'
import { transactionCases } from './transaction-cases.ts'

/** Everything a source of changes has to keep, in the order of the ids' groups. */
export const CHANGE_CASES: readonly ChangeCase[] = [
  ...envelopeCases,
  ...redeliveryCases,
  ...sliceCases,
  ...changeValueCases,
  ...transactionCases,
  ...rowCases,
  ...keylessCases,
]

/** Registers the suite of change sources with a test runner: one line in an adapter's `conformance.test.ts`. */
export function describeChanges(runner: SuiteRunner, subject: ChangeSubject, selection?: Selection): void {
  defineSuite(runner, { title: 'changes', cases: CHANGE_CASES }, subject, selection)
}
