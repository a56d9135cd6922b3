import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { alternate } from '../measure/alternate.ts'
import { checkCopies } from '../measure/check-copy.ts'
import { round, spreadOf } from '../measure/spread.ts'
import type { CopyRequest } from '../ours/copy-request.ts'
import { buildCopy } from '../ours/build-copy.ts'
import { runCopy, type CopyRun } from '../ours/run-copy.ts'
import { pipeIntoSqlite, type PipeRequest } from '../process/pipe-into-sqlite.ts'
import type { BenchResult } from '../result.ts'
import type { CaseContext } from './case.ts'

export interface InitialLoad {
  readonly name: string
  readonly peerName: string
  readonly ours: Omit<CopyRequest, 'path'>
  readonly peer: Omit<PipeRequest, 'path'>
}

/** Empty file to full table, ours against a pipe into the sqlite3 shell. */
export async function measureInitialLoad(load: InitialLoad, context: CaseContext): Promise<BenchResult> {
  const { rows, runs, folder, log } = context
  const [oursPath, peerPath] = [join(folder, 'ours.db'), join(folder, 'peer.db')]
  const program = await buildCopy()
  const ours = async (run: number): Promise<CopyRun> => {
    await removeDatabase(oursPath)
    const copied = await runCopy(program, { ...load.ours, path: oursPath })
    log(`${load.name} ${run}: ours ${round(copied.seconds)} s`)
    return copied
  }
  const peer = async (run: number): Promise<number> => {
    await removeDatabase(peerPath)
    const seconds = await pipeIntoSqlite({ ...load.peer, path: peerPath })
    log(`${load.name} ${run}: peer ${round(seconds)} s`)
    checkCopies(oursPath, peerPath, rows)
    return seconds
  }
  const samples = await alternate(ours, peer, runs)
  return initialResult(load, context, samples)
}

function initialResult(
  load: InitialLoad, { rows, runs }: CaseContext, samples: { readonly ours: readonly CopyRun[]; readonly peer: readonly number[] },
): BenchResult {
  const oursSpread = spreadOf(samples.ours.map(({ seconds }) => seconds))
  const peerSpread = spreadOf(samples.peer)
  return {
    case: load.name,
    ours: oursSpread.median,
    peer: peerSpread.median,
    ratio: round(peerSpread.median / oursSpread.median),
    unit: 'seconds',
    runs,
    oursSpread,
    peerSpread,
    peerName: load.peerName,
    rows,
    rowsPerSecond: Math.round(rows / oursSpread.median),
    heapMb: Math.max(...samples.ours.map(({ heapMb }) => heapMb)),
    rssMb: Math.max(...samples.ours.map(({ rssMb }) => rssMb)),
  }
}

async function removeDatabase(path: string): Promise<void> {
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true })
}
