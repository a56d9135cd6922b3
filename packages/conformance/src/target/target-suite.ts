import { defineSuite } from '../suite/define-suite.ts'
import type { SuiteRunner } from '../suite/suite-runner.ts'
import type { Selection } from '../suite/conformance-case.ts'
import type { TargetSubject } from '../harness/target-harness.ts'
import { applyCases } from './apply-cases.ts'
import { columnCases } from './column-cases.ts'
import { leaseCases, ledgerCases } from './ledger-cases.ts'
import { loadCases } from './load-cases.ts'
import { tableCases } from './table-cases.ts'
import type { TargetCase } from './target-case.ts'
import { targetLifecycleCases } from './target-lifecycle-cases.ts'

/** Everything a target has to keep. */
export const TARGET_CASES: readonly TargetCase[] = [
  ...tableCases, ...applyCases, ...leaseCases, ...loadCases, ...columnCases, ...ledgerCases, ...targetLifecycleCases,
]

/** Registers the target suite with a test runner: one line in an adapter's `conformance.test.ts`. */
export function describeTarget(runner: SuiteRunner, subject: TargetSubject, selection?: Selection): void {
  defineSuite(runner, { title: 'target', cases: TARGET_CASES }, subject, selection)
}
