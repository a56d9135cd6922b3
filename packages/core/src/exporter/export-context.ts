import type { ExportSource } from '../dialect/export-source.ts'
import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import type { DumpKeys } from '../dump/encryption/dump-keys.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { RequestKeys } from '../state/request-keys.ts'
import type { ObjectStorage } from '../storage/object-storage.ts'
import type { Secret } from '../util/secret.ts'
import type { CallbackOptions } from './callback/callback-options.ts'
import type { ExportEvents } from './export-events.ts'
import type { ExportSpec, ExportState } from './export-state.ts'
import type { ExportStore } from './export-store.ts'
import type { ExportRetry } from './exporter-options.ts'

/** What every part of the exporter works with. */
export interface ExportContext {
  readonly source: ExportSource
  readonly storage: ObjectStorage
  readonly store: ExportStore
  readonly requestKeys: RequestKeys
  readonly runtime: Runtime
  readonly logger: Logger
  readonly emitter: Emitter<ExportEvents>
  readonly retry: ExportRetry
  readonly keys: DumpKeys
  readonly callbacks: Omit<CallbackOptions, 'secret'> | undefined
  /** Errors on revealing: `SECRET_MISSING`. */
  readonly downloadSecret: Secret
  /** Errors on revealing: `SECRET_MISSING`. */
  callbackSecret(state: ExportState): Secret
  readonly formats: readonly DumpFormat[]
  readonly compressions: readonly Compression[]
  /** `undefined`: SQL. */
  formatOf(spec: Pick<ExportSpec, 'format'>): DumpFormat | undefined
  compressionOf(spec: Pick<ExportSpec, 'compression'>): Compression | undefined
}
