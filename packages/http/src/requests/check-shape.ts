import { TidemarkError } from '@tidemark/core'
import * as v from 'valibot'

/** What a part of a request must look like. */
export type Shape = v.GenericSchema<unknown, unknown>

/** Errors: `CONFIG_INVALID` with every fault found. No message quotes what was sent. */
export function checkShape<S extends Shape>(schema: S, value: unknown, part: 'body' | 'path' | 'query'): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { message: sentence })
  if (parsed.success) return parsed.output
  const issues = parsed.issues.map((issue) => ({ path: [part, v.getDotPath(issue)].filter(Boolean).join('.'), message: issue.message }))
  throw new TidemarkError('CONFIG_INVALID', `The request has ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, {
    issues, remedy: 'Correct what `issues` names; /openapi.json has what is expected.',
  })
}

/** Where a shape has no words of its own: valibot's would quote the value, which may be a secret. */
function sentence(issue: v.BaseIssue<unknown>): string {
  if (issue.expected === 'never') return 'Is not known here.'
  return issue.received === 'undefined' ? 'Is missing.' : `Must be ${issue.expected ?? 'another'}.`
}
