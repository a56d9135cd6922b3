import { runProcess } from '../process/run-process.ts'
import type { CopyOutcome, CopyRequest } from './copy-request.ts'

/** The promise that is measured: any number of rows in this much heap. A run that needs more dies. */
const HEAP_LIMIT_MB = 128

export interface CopyRun extends CopyOutcome {
  readonly seconds: number
}

/** Runs our side, built by `buildCopy`, once in a process of its own. */
export async function runCopy(program: string, request: CopyRequest): Promise<CopyRun> {
  const flags = ['--disable-warning=ExperimentalWarning', `--max-old-space-size=${HEAP_LIMIT_MB}`]
  const { seconds, stdout } = await runProcess({ command: process.execPath, args: [...flags, program, JSON.stringify(request)] })
  return { seconds, ...(JSON.parse(stdout) as CopyOutcome) }
}
