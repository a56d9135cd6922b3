import type { ConfigIssue } from './tidemark-error.ts'
import { TidemarkError } from './tidemark-error.ts'

/** One fault of a value: where in it, and what is right there. No message quotes a value, which may be a secret in the wrong place. */
export interface Fault {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** As people write it: `replications[0].trackingColumn`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('').replace(/^\./, '')
}

export function toIssues(faults: readonly Fault[]): readonly ConfigIssue[] {
  return faults.map(({ path, message }) => ({ path: pathText(path), message }))
}

/** The same faults of a part of something larger. */
export function faultsBelow(path: readonly PropertyKey[], faults: readonly Fault[]): readonly Fault[] {
  return faults.map((fault) => ({ ...fault, path: [...path, ...fault.path] }))
}

/** `CONFIG_INVALID` with all of them. `what` has them: `options`, `request`. */
export function configError(issues: readonly ConfigIssue[], what = 'options'): TidemarkError {
  const list = issues.map(({ path, message }) => `${path}: ${message}`).join(' ')
  const verb = what.endsWith('s') ? 'have' : 'has'
  return new TidemarkError('CONFIG_INVALID', `The ${what} ${verb} ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${list}`, { issues })
}
