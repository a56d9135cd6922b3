import { TidemarkError } from '@tidemark/core'
import type { ReportedError } from './reporter.ts'

/** An error as plain data. The message of a foreign error may quote anything, so only its kind is told. */
export function reportOf(error: unknown): ReportedError {
  if (error instanceof TidemarkError) return { ...error.toJSON(), issues: error.issues }
  const name = error instanceof Error ? error.name : typeof error
  return new TidemarkError('INTERNAL', `An unexpected ${name} was thrown.`).toJSON()
}
