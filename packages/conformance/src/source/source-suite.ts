import { defineSuite } from '../suite/define-suite.ts'
import type { SuiteRunner } from '../suite/suite-runner.ts'
import type { Selection } from '../suite/conformance-case.ts'
import type { SourceSubject } from '../harness/source-harness.ts'
import { describeCases, kindCases } from './describe-cases.ts'
import { keyCases } from './key-cases.ts'
import { blockedCases, connectionCases, lifecycleCases } from './lifecycle-cases.ts'
import { nameCases } from './name-cases.ts'
import { nullCases } from './null-cases.ts'
import { orderCases } from './order-cases.ts'
import { settlingCases } from './settling-cases.ts'
import type { SourceCase } from './source-case.ts'
import { streamCases } from './stream-cases.ts'
import { valueCases } from './value-cases.ts'

/** Everything a source has to keep, in the order of the ids' groups. */
export const SOURCE_CASES: readonly SourceCase[] = [
  ...describeCases,
  ...kindCases,
  ...nameCases,
  ...orderCases,
  ...nullCases,
  ...valueCases,
  ...keyCases,
  ...settlingCases,
  ...streamCases,
  ...connectionCases,
  ...lifecycleCases,
  ...blockedCases,
]

/** Registers the source suite with a test runner: one line in an adapter's `conformance.test.ts`. */
export function describeSource(runner: SuiteRunner, subject: SourceSubject, selection?: Selection): void {
  defineSuite(runner, { title: 'source', cases: SOURCE_CASES }, subject, selection)
}
