import type { ExportState } from './export-state.ts'

/** Rows written so far, by table. */
export function tableRows({ streams }: Pick<ExportState, 'streams'>): Readonly<Record<number, number>> {
  const sum: Record<number, number> = {}
  for (const stream of streams) {
    for (const [table, rows] of Object.entries(stream.rows)) sum[Number(table)] = (sum[Number(table)] ?? 0) + rows
  }
  return sum
}
