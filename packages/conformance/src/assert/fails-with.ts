import { TidemarkError, type ErrorCode } from '@tidemark/core/adapter'
import { ConformanceError } from './conformance-error.ts'
import { show } from './show.ts'

/**
 * Runs `action` and expects a `TidemarkError` of one of the codes, which it returns.
 *
 * Messages are not API and are not looked at.
 */
export async function failsWith(codes: ErrorCode | readonly ErrorCode[], action: () => Promise<unknown>, what: string): Promise<TidemarkError> {
  const accepted: readonly string[] = typeof codes === 'string' ? [codes] : codes
  const outcome = await settle(action)
  if (!('error' in outcome)) throw new ConformanceError(`${what}: expected ${accepted.join(' or ')}, but it succeeded with ${show(outcome.value)}`)
  const { error } = outcome
  if (!(error instanceof TidemarkError)) {
    throw new ConformanceError(`${what}: expected ${accepted.join(' or ')}, got an error that is no TidemarkError: ${show(error)}`, { actual: error })
  }
  if (!accepted.includes(error.code)) {
    throw new ConformanceError(`${what}: expected ${accepted.join(' or ')}, got ${error.code} (${error.message})`, { actual: error.code, expected: accepted })
  }
  return error
}

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** Also turns a synchronous throw into an outcome, so that an adapter may do either. */
export async function settle(action: () => Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await action() }
  } catch (error) {
    return { error }
  }
}
