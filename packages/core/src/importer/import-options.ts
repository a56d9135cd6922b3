import type { ImportTarget } from '../dialect/import-target.ts'
import type { AbortOptions } from '../dialect/source.ts'
import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { EncryptionInput } from '../dump/encryption/dump-keys.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { ImportStatus } from './import-status.ts'

export interface ImporterOptions {
  /** Where the dumps are. */
  readonly source: ObjectStorage
  readonly target: ImportTarget
  /** Formats besides SQL, CSV and NDJSON. */
  readonly formats?: readonly DumpFormat[] | undefined
  /** Besides gzip. */
  readonly compressions?: readonly Compression[] | undefined
  /** Of dumps that are encrypted. */
  readonly encryption?: EncryptionInput | undefined
  /** Times that a slice is tried before its error ends the run, and the waits between. Default: 8, from 500 ms to 5 minutes, full jitter. */
  readonly retry?: Partial<RetryOptions> | undefined
  /** No statement may be longer, in bytes: it is held in memory. Default 256 MiB. */
  readonly maxStatementBytes?: number | undefined
  /** Default: the host's clock and timers. */
  readonly runtime?: Runtime | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

/** A dump of an {@link Exporter}, by its id, or a file of SQL by its key. */
export type ImportInput = string | { readonly sql: string }

export interface ImportRunOptions extends AbortOptions {
  /**
   * The caller has seen rows of it in the target, as `status` tells them: if it is not there any more it has come to its end elsewhere, and is `LEASE_LOST` instead of
   * begun anew. Default `false`.
   */
  readonly hasBegun?: boolean | undefined
  /**
   * Called, and waited for, when everything is loaded and before the target forgets how far it is: who notes it then can tell an import that ended from one that
   * never began, should nobody live to hear of the end. After a kill it may be called again.
   */
  readonly beforeEnd?: ((status: ImportStatus) => unknown) | undefined
}

export interface ImportStepOptions extends ImportRunOptions {
  /** How long the step may work, in milliseconds. Default 20,000. A slice that was begun is finished. */
  readonly budgetMs?: number | undefined
}
