import type { ChangeEvent } from '@tidemark/core'
import type { ChangeConnection, LogPosition, SourceDialect, TargetDialect } from '@tidemark/core/adapter'
import type { SqliteChanges, SqliteChangesOptions, SqliteStateStore } from '@tidemark/sqlite'

/** One of the two databases, inside of workerd. */
export interface ScenarioHost {
  changes(options: SqliteChangesOptions): SqliteChanges
  stateStore(): SqliteStateStore
  source(): SourceDialect
  target(): TargetDialect
  /** The same database, but once, when a query with these words has been answered, somebody else runs the statement. */
  interrupted(words: string, statement: string): ScenarioHost
  /** By the application's own means, one statement at a time. */
  run(...statements: string[]): Promise<void>
  bind(statement: string, ...values: unknown[]): Promise<void>
  rows(query: string): Promise<readonly unknown[]>
}

/** Runs inside of workerd and answers in JSON, see `toJson`. */
export type Scenario<Host> = (host: Host) => Promise<unknown>

export const LIMIT = { events: 100, bytes: 16 << 20 }

export async function readOn(changes: ChangeConnection, after: LogPosition): Promise<{ readonly events: readonly ChangeEvent[]; readonly position: LogPosition }> {
  const events: ChangeEvent[] = []
  for (let position = after; ;) {
    const slice = await changes.readChanges({ after: position, limit: LIMIT })
    events.push(...slice.events)
    position = slice.position
    if (slice.isLast) return { events, position }
  }
}

/** The code of an error, or `none`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'none'
  } catch (error) {
    const detail = error instanceof Error && 'detail' in error && error.detail !== undefined ? ` ${String(error.detail)}` : ''
    return error instanceof Error && 'code' in error ? `${String(error.code)}${detail}` : String(error)
  }
}

/** Tells apart what JSON does not: `1n` from 1, bytes, infinities. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    if (part instanceof Uint8Array) return part.length > 20 ? `${part.length} bytes` : [...part]
    if (typeof part === 'string' && part.length > 200) return `${part.length} characters`
    return typeof part === 'number' && !Number.isFinite(part) ? String(part) : part
  }) ?? 'null'
}
