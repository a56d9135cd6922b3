import type { ConfigIssue, Spool } from '@tidemark/core/adapter'

/** Where transactions wait that the server sends before they have ended. */
export interface StreamingOptions {
  /** What of them is kept in memory, in bytes. Default 16 MiB, at least 1 MiB. */
  readonly memoryBytes?: number | undefined
  /** Takes what is more than that. Without one that is `SPOOL_FULL`. */
  readonly spool?: Spool | undefined
  /** How much the spool takes, in bytes. Default 1 GiB. */
  readonly maxSpoolBytes?: number | undefined
}

export interface StreamingSettings {
  readonly memoryBytes: number
  readonly spool: Spool | undefined
  readonly maxSpoolBytes: number
}

const DEFAULT_MEMORY_BYTES = 16 * 1024 * 1024
const MIN_MEMORY_BYTES = 1024 * 1024
const DEFAULT_SPOOL_BYTES = 1024 * 1024 * 1024

/** `undefined`: transactions come when they have ended. */
export function streamingSettings(streaming: boolean | StreamingOptions | undefined): StreamingSettings | undefined {
  if (streaming === undefined || streaming === false) return undefined
  const { memoryBytes = DEFAULT_MEMORY_BYTES, maxSpoolBytes = DEFAULT_SPOOL_BYTES, spool }: StreamingOptions = streaming === true ? {} : streaming
  return { memoryBytes, maxSpoolBytes, spool }
}

export function streamingIssues(streaming: boolean | StreamingOptions | undefined): readonly ConfigIssue[] {
  if (streaming === undefined || typeof streaming === 'boolean') return []
  if (typeof streaming !== 'object' || streaming === null || Array.isArray(streaming)) return [{ path: 'streaming', message: 'Must be true, false or an object.' }]
  const { memoryBytes, maxSpoolBytes, spool } = streaming
  const issues: ConfigIssue[] = []
  if (memoryBytes !== undefined && !(memoryBytes >= MIN_MEMORY_BYTES && Number.isFinite(memoryBytes))) issues.push({ path: 'streaming.memoryBytes', message: `Must be at least ${MIN_MEMORY_BYTES}.` })
  if (maxSpoolBytes !== undefined && !(maxSpoolBytes >= 1 && Number.isFinite(maxSpoolBytes))) issues.push({ path: 'streaming.maxSpoolBytes', message: 'Must be at least 1.' })
  if (maxSpoolBytes !== undefined && spool === undefined) issues.push({ path: 'streaming.maxSpoolBytes', message: 'Needs a `spool` that it is for.' })
  if (spool !== undefined && typeof spool?.open !== 'function') issues.push({ path: 'streaming.spool', message: 'Must be a spool, such as `fileSpool()` of @tidemark/node.' })
  return issues
}
