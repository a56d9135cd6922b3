import type { ChangeSubject } from '../harness/change-harness.ts'
import type { Selection } from '../suite/conformance-case.ts'
import { defineSuite } from '../suite/define-suite.ts'
import type { SuiteRunner } from '../suite/suite-runner.ts'
import type { ChangeCase } from './change-case.ts'
import { chunkCases } from './chunk-cases.ts'
import { envelopeCases, redeliveryCases } from './envelope-cases.ts'
import { sliceCases } from './slice-cases.ts'
import { changeLifecycleCases, methodCases } from './change-lifecycle-cases.ts'
import { changeNameCases } from './change-name-cases.ts'
import { changeValueCases } from './change-value-cases.ts'
import { historyCases } from './history-cases.ts'
import { positionCases } from './position-cases.ts'
import { replaceCases } from './replace-cases.ts'
import { schemaCases } from './schema-cases.ts'
import { leaseCases, retainCases } from './retain-cases.ts'
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
  ...replaceCases,
  ...changeNameCases,
  ...schemaCases,
  ...positionCases,
  ...retainCases,
  ...leaseCases,
  ...chunkCases,
  ...methodCases,
  ...changeLifecycleCases,
  ...historyCases,
]

/** Registers the suite of change sources with a test runner: one line in an adapter's `conformance.test.ts`. */
export function describeChanges(runner: SuiteRunner, subject: ChangeSubject, selection?: Selection): void {
  defineSuite(runner, { title: 'changes', cases: CHANGE_CASES }, subject, selection)
}
