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

export const LACKS: readonly Lack[] = []
