import type { ErrorCode } from '../errors/error-codes.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { checkAbort, orAbort } from './kysely-source-abort.ts'
import type { KyselySourceConfig } from './kysely-source.ts'

interface CallOptions {
  readonly config: KyselySourceConfig
  /** For errors that the configuration does not know. */
  readonly fallback: ErrorCode
  readonly signal: AbortSignal | undefined
}

/**
 * Runs a call into Kysely. What the driver throws is left behind: its message may quote a value or a connection
 * string, so only its code is kept, as `detail`.
 */
export async function callKysely<T>(call: () => Promise<T>, { config, fallback, signal }: CallOptions): Promise<T> {
  checkAbort(signal)
  try {
    return await orAbort(call(), signal)
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw new TidemarkError(config.errorCode?.(error) ?? fallback, `${config.name}: the query failed.`, { detail: detailOf(error) })
  }
}

function detailOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' || typeof code === 'number' ? String(code) : error.name
}
