import { plain } from './plain.ts'
import type { Told } from './told.ts'

/** Runs one part. It never rejects: a part that fails is told, and the others go on. */
export async function tell(part: () => unknown): Promise<Told> {
  try {
    return { saw: plain(await part()) }
  } catch (error) {
    return { refused: codeOf(error), message: describe(error) }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'no code'
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.stack ?? error.message : `${error.stack ?? error.message}\ncaused by ${describe(error.cause)}`
}
