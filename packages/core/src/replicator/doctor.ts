import type { AbortOptions, Finding, SourceConnection } from '../dialect/source.ts'
import type { ResolvedReplication } from './resolve-replication.ts'
import { describeSource } from './steps/describe-source.ts'

/** What is wrong, or could go wrong, with one replication. */
export interface DoctorReport {
  readonly name: string
  /** Worst first. */
  readonly findings: readonly Finding[]
}

const RANK = { error: 0, warning: 1, info: 2 } as const

export async function examineReplication(source: SourceConnection, replication: ResolvedReplication, options: AbortOptions): Promise<DoctorReport> {
  const table = await describeSource(source, replication, options)
  const tracking = replication.mode === 'full' ? undefined : replication.trackingColumn
  const engine = await source.diagnose?.({ table, tracking, signal: options.signal }) ?? []
  const findings = [...engine, ...optionFindings(replication)]
  return { name: replication.name, findings: findings.toSorted((a, b) => RANK[a.severity] - RANK[b.severity]) }
}

/** What follows from the options alone, whatever the engine. */
function optionFindings(replication: ResolvedReplication): readonly Finding[] {
  const findings: Finding[] = []
  if (replication.source.capabilities.settling === 'grace') {
    findings.push({
      id: 'settling-by-grace',
      severity: 'warning',
      message: `This source can not prove that old writers have ended; a row committed more than ${replication.settleGraceMs} ms late waits for the next reconcile. Raise settleGraceMs to the longest write transaction.`,
    })
  }
  if (replication.mode === 'incremental' && replication.reconcile === undefined) {
    findings.push({
      id: 'reconcile-off',
      severity: 'warning',
      message: 'With reconcile off, rows deleted at the source stay in the copy, and updates that do not touch the tracking column are not seen.',
    })
  }
  return findings
}
