import type { StreamSettings } from './stream-settings.ts'

/** What a user chose about polling, checked and completed. */
export interface PollSettings extends StreamSettings {
  readonly pollIntervalMs: number
  readonly maxPollIntervalMs: number
  readonly maxPollRows: number
  readonly maxPollBytes: number
}
