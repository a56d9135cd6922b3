import { SqliteStateStore } from '@tidemark/sqlite'
import { DurableObjectDriver } from './durable-object-driver.ts'
import type { DurableObjectStorage } from './durable-object-storage.ts'

/** Checkpoints of change streams, and other small state, in a Durable Object's own database. Errors: `CONFIG_INVALID` for the prefix, `TARGET_*`. */
export function durableObjectStateStore(storage: DurableObjectStorage, options: { readonly tablePrefix?: string | undefined } = {}): SqliteStateStore {
  return new SqliteStateStore({ open: () => Promise.resolve(new DurableObjectDriver(storage)), tablePrefix: options.tablePrefix })
}
