import type { ChangeOrigin, ChangeTransaction } from './change-event.ts'

/** What a program wrote into the log itself, beside all tables: an entry of an outbox that needs no table. */
export interface LogMessage {
  /** Deterministic: equal on redelivery, unique in one source. */
  readonly id: string
  readonly op: 'message'
  /** What it is about, as its writer named it. */
  readonly prefix: string
  /** Exactly what was written, also nothing. */
  readonly content: Uint8Array
  /**
   * Whether it belongs to a transaction: it then comes among its changes, where it was written, and only if that was committed. One that does not
   * stands in the log at the moment at which it was written, whatever becomes of its writer's transaction.
   */
  readonly transactional: boolean
  /** Of one that belongs to none: a transaction of its own, whose time is not known. */
  readonly tx: ChangeTransaction
  /** `schemaVersion` is 0. */
  readonly source: ChangeOrigin
}

/** Which messages are wanted: all, or those of some prefixes. */
export type MessageSelection = true | { readonly prefixes: readonly string[] }

export function selects(selection: MessageSelection | undefined, prefix: string): boolean {
  return selection === true || (selection !== undefined && selection.prefixes.includes(prefix))
}
