import type { TableRef } from '@tidemark/core/adapter'

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
  readonly now: () => number
}
