import type { Replication, Run } from './answers.ts'
import type { Bucket, Point, Window } from './chart.ts'

export const BUCKETS = 30

/** How long ago each replication's last success was, over time: it falls to nothing with each, and grows until the next. */
export function lagOf(replications: readonly Replication[], runs: readonly Run[], { fromMs, toMs }: Window): ReadonlyMap<string, readonly Point[]> {
  return new Map(replications.flatMap(({ name, lastSyncAtMs }): readonly (readonly [string, readonly Point[]])[] => {
    const ends = runs.filter((run) => run.config_name === name && run.status === 'success').map((run) => Date.parse(run.created_at)).toSorted((a, b) => a - b)
    const last = lastSyncAtMs ?? ends.at(-1)
    if (last === undefined) return []
    const inside = ends.filter((atMs) => atMs > fromMs && atMs < last)
    const before = ends.filter((atMs) => atMs <= fromMs).at(-1) ?? (last <= fromMs ? last : undefined)
    const drops = [...inside, ...(last > fromMs ? [last] : [])]
    let previous = before
    const points: Point[] = previous === undefined ? [] : [{ atMs: fromMs, value: fromMs - previous }]
    for (const atMs of drops) {
      if (previous !== undefined) points.push({ atMs, value: atMs - previous })
      points.push({ atMs, value: 0 })
      previous = atMs
    }
    return [[name, [...points, { atMs: toMs, value: toMs - (previous ?? toMs) }]]]
  }))
}

/** Rows written in equal stretches of time, and how many runs failed in each. */
export function throughputOf(runs: readonly Run[], { fromMs, toMs }: Window): readonly Bucket[] {
  const sizeMs = (toMs - fromMs) / BUCKETS
  return Array.from({ length: BUCKETS }, (_, index) => {
    const atMs = fromMs + index * sizeMs
    const inside = runs.filter((run) => Date.parse(run.created_at) >= atMs && Date.parse(run.created_at) < atMs + sizeMs)
    return { atMs, value: inside.reduce((sum, run) => sum + run.records_processed, 0), faults: inside.filter(({ status }) => status === 'error').length }
  })
}
