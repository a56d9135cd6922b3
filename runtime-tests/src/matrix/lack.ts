import type { Capability } from './capability.ts'
import type { MatrixRuntimeName } from './matrix-runtime.ts'

/** What a runtime itself lacks. It is printed with its reason, and must be refused with this code: a lack that is gone is an error too. */
export interface Lack {
  readonly runtime: MatrixRuntimeName
  readonly capability: Capability
  readonly part: string
  readonly code: string
  readonly reason: string
}

export const LACKS: readonly Lack[] = [
  { runtime: 'workerd', capability: 'import', part: 'tidemark', code: 'ERR_RUNTIME_FAILURE', reason: 'The command line begins with where its own file is, and a Worker has no files.' },
  { runtime: 'workerd', capability: 'replicate', part: 'SQLite', code: 'NOT_SUPPORTED', reason: 'A Worker has no files, and its node:sqlite is a name only. Durable Objects and D1 are sources of their own.' },
  { runtime: 'workerd', capability: 'replicate', part: 'SQLite to libSQL', code: 'CONFIG_INVALID', reason: 'A Worker has no files; it reaches libSQL by a server.' },
]
