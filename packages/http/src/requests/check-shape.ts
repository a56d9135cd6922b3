import { TidemarkError } from '@tidemark/core'
import { faultsBelow, faultsOf, sentence, toIssues } from '@tidemark/core/adapter'
import * as v from 'valibot'

/** What a part of a request must look like. */
export type Shape = v.GenericSchema<unknown, unknown>

/** Errors: `CONFIG_INVALID` with every fault found. No message quotes what was sent. */
export function checkShape<S extends Shape>(schema: S, value: unknown, part: 'body' | 'path' | 'query' | 'header'): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { message: sentence })
  if (parsed.success) return parsed.output
  const issues = toIssues(faultsBelow([part], faultsOf(schema, parsed.issues)))
  throw new TidemarkError('CONFIG_INVALID', `The request has ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, {
    issues, remedy: 'Correct what `issues` names; /openapi.json has what is expected.',
  })
}
