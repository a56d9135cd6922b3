import type { PeerAnswer, TidemarkError } from '@tidemark/core/adapter'
import { isOfOneTable, TableFailed } from './table-failed.ts'

interface Failure {
  /** Tables that are left out already. */
  readonly failed: ReadonlyMap<string, TidemarkError>
  readonly error: TidemarkError
  /** Those that the message writes to. */
  readonly tables: readonly string[]
}

/**
 * A database that writes all at the end does not tell which table refused: each is left out in turn, until the rest goes well, and at last all.
 * Costs as many tries as the message has tables, once, since the one that is found is refused from then on. Rejects with the error where none is it.
 */
export async function withoutCulprit(attempt: (without: ReadonlyMap<string, TidemarkError>) => Promise<PeerAnswer>, { failed, error, tables }: Failure): Promise<PeerAnswer> {
  const suspects = tables.filter((name) => !failed.has(name))
  // First with all of them: what has passed by then was nobody's fault.
  const groups = [[], ...suspects.map((name) => [name]), ...suspects.length > 1 ? [suspects] : []]
  for (const group of groups) {
    try {
      return await attempt(new Map([...failed, ...group.map((name): [string, TidemarkError] => [name, error])]))
    } catch (again) {
      if (!isOfOneTable(again) && !(again instanceof TableFailed)) throw again
    }
  }
  throw error
}
