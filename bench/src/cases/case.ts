import type { BenchResult } from '../result.ts'

export interface CaseContext {
  readonly rows: number
  readonly runs: number
  /** An empty folder of the case's own. */
  readonly folder: string
  readonly log: (line: string) => void
}

export interface BenchCase {
  readonly name: string
  readonly run: (context: CaseContext) => Promise<BenchResult>
}
