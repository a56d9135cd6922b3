import type { ExportSource } from '../dialect/export-source.ts'
import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { EncryptionInput } from '../dump/encryption/dump-keys.ts'
import type { BackoffOptions } from '../util/backoff.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { StateStore } from '../state/state-store.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { SecretInput } from '../util/secret.ts'
import type { CallbackOptions } from './callback/callback-options.ts'

export interface ExporterOptions {
  readonly source: ExportSource
  readonly storage: ObjectStorage
  /** Where jobs are kept: what an export needs to go on after any kill. */
  readonly state: StateStore
  /** Formats besides SQL, CSV and NDJSON. */
  readonly formats?: readonly DumpFormat[] | undefined
  /** Besides gzip. */
  readonly compressions?: readonly Compression[] | undefined
  /** Objects of directories are encrypted with AES-256-GCM. Of several keys the first writes; the others go on with exports that were begun with them, and verify. */
  readonly encryption?: EncryptionInput | undefined
  /** Without it, no callback is made. */
  readonly callbacks?: CallbackOptions | undefined
  /** Signs download tokens, where the storage can't. */
  readonly downloadSecret?: SecretInput | undefined
  /** Tries of a step before its error fails the export, and the waits between them. Default: 8, from 500 ms to 5 minutes, full jitter. */
  readonly retry?: Partial<ExportRetry> | undefined
  /** Stable identity of this worker: with it a restarted process goes on at once. Default: random. */
  readonly instance?: string | undefined
  /** How long a crashed worker keeps others out, in milliseconds. Default 30,000. */
  readonly leaseTtlMs?: number | undefined
  /** Default: the host's clock and timers. */
  readonly runtime?: Runtime | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

export interface ExportRetry extends BackoffOptions {
  readonly attempts: number
}
