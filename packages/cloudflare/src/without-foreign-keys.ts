import { TidemarkError } from '@tidemark/core/adapter'
import type { DurableObjectStorage } from './durable-object-storage.ts'
import { readRows } from './durable-object-transaction.ts'

/** Of an object's only connection, which all who load into it share. */
interface Setting {
  /** Settles once the one before is done; never rejects. */
  tail: Promise<unknown>
  /** What the application had; kept where it could not be set again, for the next to do so. */
  before: number | undefined
}

/** For an application that writes in every turn. */
const MAX_TRIES = 100
const settings = new WeakMap<DurableObjectStorage, Setting>()

/**
 * Runs `work` while foreign keys are not enforced, one after the other: of two at once the second would take the first one's setting for the application's,
 * and leave the keys off for good. What the application writes until it is done is not held to its keys either.
 *
 * Errors: `TARGET_BUSY`; those of `work`.
 */
export function withoutForeignKeys(storage: DurableObjectStorage, work: () => void): Promise<void> {
  const setting = settings.get(storage) ?? { tail: Promise.resolve(), before: undefined }
  settings.set(storage, setting)
  const turn = setting.tail.then(() => switched(storage, setting, work))
  setting.tail = turn.catch(() => undefined)
  return turn
}

async function switched(storage: DurableObjectStorage, setting: Setting, work: () => void): Promise<void> {
  const before = setting.before ?? foreignKeys(storage)
  setting.before = before
  try {
    await setForeignKeys(storage, 0)
    work()
  } finally {
    await setForeignKeys(storage, before)
    setting.before = undefined
  }
}

/** The host's own transaction, in which it has no effect, is open from the first write of a turn until that is stored. */
async function setForeignKeys(storage: DurableObjectStorage, wanted: number): Promise<void> {
  for (let tries = 0; foreignKeys(storage) !== wanted; tries += 1) {
    if (tries === MAX_TRIES) throw new TidemarkError('TARGET_BUSY', 'The object was written to each time that its foreign keys were to be switched.')
    await storage.sync()
    storage.sql.exec(`PRAGMA foreign_keys = ${wanted}`)
  }
}

function foreignKeys(storage: DurableObjectStorage): number {
  return Number(readRows(storage, { sql: 'PRAGMA foreign_keys' })[0]?.[0])
}
