import { faultsBelow, type Fault } from '../errors/fault.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { Replication } from './replicator-options.ts'
import { scheduleIssue } from './schedule.ts'

/** What is wrong with a replication whose shape is right. */
export function replicationFaults(replication: Replication, tablePrefix: string): readonly Fault[] {
  const faults: Fault[] = [...scheduleFaults(replication)]
  const add = (option: string, message: string): number => faults.push({ path: [option], message })
  const target = targetName(replication, (message) => add('sourceTable', message))
  if (target?.toLowerCase().startsWith(tablePrefix.toLowerCase()) === true) add('targetTable', `Must not begin with "${tablePrefix}", the prefix of Tidemark's own tables.`)
  if (target?.toLowerCase().startsWith('sqlite_') === true) add('targetTable', 'Must not begin with "sqlite_", which SQLite reserves.')
  return faults
}

export function scheduleFaults({ schedule, syncIntervalMinutes }: Pick<Replication, 'schedule' | 'syncIntervalMinutes'>): readonly Fault[] {
  const both = schedule !== undefined && syncIntervalMinutes !== undefined ? ['Give either a schedule or syncIntervalMinutes.'] : []
  const issue = scheduleIssue(schedule)
  return [...both, ...issue === undefined ? [] : [issue]].map((message) => ({ path: ['schedule'], message }))
}

/** Of all replications, and of them among each other. Those whose shape is wrong are left out: that is said already. */
export function replicationListFaults(replications: readonly Replication[], tablePrefix: string, leftOut: ReadonlySet<number> = new Set()): readonly Fault[] {
  const faults = replications.flatMap((replication, index) => (leftOut.has(index) ? [] : faultsBelow([index], replicationFaults(replication, tablePrefix))))
  if (faults.length > 0 || leftOut.size > 0) return faults
  const targetOf = (replication: Replication): string =>
    (replication.targetTable ?? replication.source.parseTable(replication.sourceTable).name).toLowerCase()
  return [
    ...duplicates(replications, 'name', (replication) => replication.name),
    // SQLite compares table names without regard to case.
    ...duplicates(replications, 'targetTable', targetOf),
  ]
}

/** A source refuses a name it can't have; that is one more fault of the list, not the end of it. */
function targetName(replication: Replication, onIssue: (message: string) => void): string | undefined {
  try {
    const table = replication.source.parseTable(replication.sourceTable)
    return replication.targetTable ?? table.name
  } catch (error) {
    if (!(error instanceof TidemarkError)) throw error
    onIssue(error.message)
    return undefined
  }
}

function duplicates(
  replications: readonly Replication[], option: string, valueOf: (replication: Replication) => string,
): readonly Fault[] {
  const first = new Map<string, number>()
  return replications.flatMap((replication, index) => {
    const value = valueOf(replication)
    const earlier = first.get(value)
    if (earlier === undefined) first.set(value, index)
    return earlier === undefined ? [] : [{ path: [index, option], message: `Is the same as that of replications[${earlier}].` }]
  })
}
