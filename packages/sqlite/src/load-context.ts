import type { TargetTable } from '@tidemark/core/adapter'
import type { LedgerTables } from './migrations.ts'
import type { Exclusive } from './sqlite-ledger.ts'
import type { TargetDriver } from './target-driver.ts'

/** What both ways of bulk loading need. */
export interface LoadContext {
  readonly driver: TargetDriver
  readonly ledger: LedgerTables
  readonly exclusive: Exclusive
  /** The target table under its staging name. */
  readonly stage: TargetTable
  readonly maxParameters: number
  readonly maxRowBytes: number
}
