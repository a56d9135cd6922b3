import type { StorageSubject } from '../harness/storage-harness.ts'
import type { Selection } from '../suite/conformance-case.ts'
import { defineSuite } from '../suite/define-suite.ts'
import type { SuiteRunner } from '../suite/suite-runner.ts'
import { accessCases } from './access-cases.ts'
import { objectCases } from './object-cases.ts'
import type { StorageCase } from './storage-case.ts'
import { uploadCases } from './upload-cases.ts'

/** Everything a storage has to keep. */
export const STORAGE_CASES: readonly StorageCase[] = [...objectCases, ...uploadCases, ...accessCases]

/** Registers the storage suite with a test runner: one line in an adapter's `conformance.test.ts`. */
export function describeStorage(runner: SuiteRunner, subject: StorageSubject, selection?: Selection): void {
  defineSuite(runner, { title: 'storage', cases: STORAGE_CASES }, subject, selection)
}
