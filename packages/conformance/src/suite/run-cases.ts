import type { ConformanceCase, ConformanceSubject, Selection } from './conformance-case.ts'
import { selectCases } from './select-cases.ts'

export type CaseResult =
  | { readonly id: string; readonly title: string; readonly status: 'passed' }
  | { readonly id: string; readonly title: string; readonly status: 'failed'; readonly error: unknown }
  | { readonly id: string; readonly title: string; readonly status: 'not-applicable'; readonly reason: string }

/** Runs one case on a fresh database and always gives the database back. */
export async function runCase<Traits, Harness extends AsyncDisposable>(
  one: ConformanceCase<Traits, Harness>,
  subject: ConformanceSubject<Traits, Harness>,
): Promise<void> {
  await using harness = await subject.open()
  await one.run(harness)
}

/** Runs the cases one after another, without a test runner, and says what came of each. For reports and matrices. */
export async function runCases<Traits, Harness extends AsyncDisposable>(
  cases: readonly ConformanceCase<Traits, Harness>[],
  subject: ConformanceSubject<Traits, Harness>,
  selection?: Selection,
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const { case: one, applies } of selectCases(cases, subject.traits, selection)) {
    const { id, title } = one
    if (applies === true) results.push(await resultOf(one, subject))
    else results.push({ id, title, status: 'not-applicable', reason: applies })
  }
  return results
}

async function resultOf<Traits, Harness extends AsyncDisposable>(
  one: ConformanceCase<Traits, Harness>,
  subject: ConformanceSubject<Traits, Harness>,
): Promise<CaseResult> {
  const { id, title } = one
  try {
    await runCase(one, subject)
    return { id, title, status: 'passed' }
  } catch (error) {
    return { id, title, status: 'failed', error }
  }
}
