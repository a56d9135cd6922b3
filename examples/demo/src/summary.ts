import type { ServerInfo } from '@tidemark/test-servers'
import { isEqual } from './compare-cells.ts'
import type { DemoFigures } from './run-demo.ts'
import { count } from './reporter.ts'

export interface Summary {
  readonly ok: boolean
  readonly rows: number
  readonly verified: boolean
  readonly cells: number
  readonly differences: number
  readonly loadRowsPerSecond: number
  readonly loadSeconds: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
  readonly rowsFollowed: number
  readonly polls: number
  readonly healedRows: number
  readonly server: string
  readonly serverOrigin: string
  readonly seconds: number
}

export function summarise(figures: DemoFigures, server: ServerInfo, seconds: number): Summary {
  const { comparison, load, written, followed, healedRows } = figures
  const verified = isEqual(comparison)
  return {
    ok: verified,
    rows: comparison.rows,
    verified,
    cells: comparison.cells,
    differences: comparison.missing + comparison.extra + comparison.differingCells,
    loadRowsPerSecond: Math.round(load.rows / (load.durationMs / 1_000)),
    loadSeconds: Number((load.durationMs / 1_000).toFixed(2)),
    inserted: written.inserted,
    updated: written.updated,
    deleted: written.deleted,
    rowsFollowed: followed.rows,
    polls: followed.polls,
    healedRows,
    server: `${server.engine} ${server.version}`,
    serverOrigin: server.origin,
    seconds: Number(seconds.toFixed(1)),
  }
}

export function summaryLines(summary: Summary, examples: readonly string[]): readonly string[] {
  const written = summary.inserted + summary.updated + summary.deleted
  return [
    '',
    `  rows in both          ${count(summary.rows)}`,
    `  initial load          ${count(summary.loadRowsPerSecond)} rows/s`,
    `  written meanwhile     ${count(written)} rows: ${count(summary.inserted)} inserted, ${count(summary.updated)} updated, ${count(summary.deleted)} deleted`,
    `  followed by ${String(summary.polls).padEnd(3)} polls ${count(summary.rowsFollowed)} rows`,
    `  healed by reconcile   ${count(summary.healedRows)} rows`,
    `  cells compared        ${count(summary.cells)}, ${count(summary.differences)} differ`,
    '',
    summary.ok ? 'The copy equals the source, cell by cell.' : 'THE COPY DIFFERS FROM THE SOURCE:',
    ...examples.map((example) => `  ${example}`),
  ]
}
