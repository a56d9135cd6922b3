import type { ReportedError } from './reporter.ts'

/** An error for people: code, sentence, every fault, remedy. */
export function errorText(error: ReportedError, name?: string): string {
  const head = `${name === undefined ? '' : `${name}: `}${error.code}: ${error.message}`
  const issues = (error.issues ?? []).map((issue) => `  ${issue.path}: ${issue.message}`)
  return [head, ...issues, `  ${error.remedy}`].join('\n')
}
