import { TidemarkError } from '@tidemark/core/adapter'

/** Thrown by a transaction that finds something it has read to be another now. Nothing of it is written then. */
export class Changed extends Error {}

/** For a writer that changes what a transaction read, each time. */
const MAX_TRIES = 10

/** Runs a transaction until nothing that it read has changed before its end. Errors: `TARGET_BUSY`, and those of `attempt`. */
export async function untilUnchanged<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Changed)) throw error
    }
  }
  throw new TidemarkError('TARGET_BUSY', 'Other writers changed each time what a transaction had read; nothing was written.')
}
