import type { AlarmStorage, DurableObjectStorage } from '@tidemark/cloudflare'

/** The subset of `ctx` of a Durable Object that is used. */
export interface ObjectContext {
  readonly storage: DurableObjectStorage & AlarmStorage
  waitUntil(work: Promise<unknown>): void
}

/** The subset of StarbaseDB's object that is used: what its plugins call, and what the platform does. */
export interface StarbaseObject {
  fetch(request: Request): Promise<Response>
  executeQuery(query: ObjectQuery): Promise<unknown>
  /** What its cron plugin was waiting for. */
  alarm(): Promise<void>
  getAlarm(): Promise<number | null>
  setAlarm(at: number | Date): Promise<void>
  deleteAlarm(): Promise<void>
}

export interface ObjectQuery {
  readonly sql: string
  readonly params?: unknown[]
  readonly isRaw?: boolean
}
