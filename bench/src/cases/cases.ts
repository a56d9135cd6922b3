import type { BenchCase } from './case.ts'
import { httpOverhead } from './http-overhead.ts'
import { libsqlInitial, libsqlSyncInitial } from './libsql-initial.ts'
import { mysqlExport } from './mysql-export.ts'
import { mysqlInitial } from './mysql-initial.ts'
import { pagePaint } from './page-paint.ts'
import { pgDecode } from './pg-decode.ts'
import { pgExport } from './pg-export.ts'
import { pgLatency } from './pg-latency.ts'
import { pgPaused } from './pg-paused.ts'
import { pgIncremental } from './pg-incremental.ts'
import { pgInitial } from './pg-initial.ts'
import { pgScattered } from './pg-scattered.ts'
import { pgStream } from './pg-stream.ts'
import { propagateLatency } from './propagate-latency.ts'
import { propagateOverhead } from './propagate-overhead.ts'
import { propagateThroughput } from './propagate-throughput.ts'
import { sqliteCapture } from './sqlite-capture.ts'
import { sqliteDrain } from './sqlite-drain.ts'
import { sqliteDump } from './sqlite-dump.ts'
import { sqliteImport } from './sqlite-import.ts'
import { sseFanOut } from './sse-fan-out.ts'

/** In the order in which `all` runs them. */
export const CASES: readonly BenchCase[] = [pgInitial, mysqlInitial, libsqlInitial, libsqlSyncInitial, pgIncremental, pgScattered, sqliteCapture, sqliteDrain, sqliteDump, sqliteImport, pgExport, mysqlExport, pgStream, pgDecode, pgLatency, pgPaused, propagateOverhead, propagateLatency, propagateThroughput, httpOverhead, sseFanOut, pagePaint]

/** Errors: `TypeError` for a name that is unknown; a bench must never pass because nothing was chosen. */
export function chooseCases(names: readonly string[]): readonly BenchCase[] {
  if (names.includes('all')) return CASES
  return names.map((name) => {
    const found = CASES.find((candidate) => candidate.name === name)
    if (found === undefined) throw new TypeError(`Unknown case "${name}". Known: all, ${CASES.map((known) => known.name).join(', ')}.`)
    return found
  })
}
