import type { MessageSelection, TableRef } from '@tidemark/core/adapter'
import type { StreamingSettings } from './streaming/streaming-settings.ts'

/** What a user chose, checked and completed. */
export interface StreamSettings {
  readonly name: string
  readonly slot: string
  readonly publication: string
  readonly tables: readonly TableRef[]
  readonly snapshotAgeMs: number
  /** The slot lives as long as its stream. */
  readonly isTemporary: boolean
  readonly maxRetainedBytes: number | undefined
  readonly retentionPolicy: 'alert' | 'drop-slot'
  readonly failover: boolean
  /** `none`: only what was written at this server. */
  readonly origin: 'none' | 'any'
  readonly snapshotWaitMs: number
  /** `undefined`: the server sends transactions when they have ended. */
  readonly streaming: StreamingSettings | undefined
  readonly messages: MessageSelection | undefined
  readonly unchangedToast: 'unavailable' | 'reread'
  readonly now: () => number
}
