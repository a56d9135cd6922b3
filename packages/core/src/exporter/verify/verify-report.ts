/**
 * How far a dump is looked at.
 *
 * - `objects`: everything is read back from the storage, and every chunk has the digest that its manifest says.
 * - `rows`: a database, into which the dump was loaded, is rendered again and gives the same digests.
 * - `deep`: both, and what the engine itself finds wrong with that database.
 */
export type VerifyMode = 'objects' | 'rows' | 'deep'

/** Something that is not as it should be. No row value. */
export interface VerifyFinding {
  readonly kind: 'object' | 'rows' | 'schema' | 'integrity'
  /** Path in the dump, where it is about an object. */
  readonly object: string | undefined
  /** Number of the chunk in its object, from 0. */
  readonly chunk: number | undefined
  readonly table: string | undefined
  readonly message: string
}

export interface VerifyReport {
  readonly id: string
  readonly mode: VerifyMode
  /** Whether nothing was found. */
  readonly ok: boolean
  /** Looked at, not all of them good. */
  readonly objects: number
  readonly chunks: number
  readonly bytes: number
  /** At most {@link MAX_FINDINGS}: a dump that is broken throughout is not told chunk by chunk. */
  readonly findings: readonly VerifyFinding[]
}

export const MAX_FINDINGS = 100

/** A report while it is made. */
export class Findings {
  readonly #findings: VerifyFinding[] = []
  readonly counts = { objects: 0, chunks: 0, bytes: 0 }

  get all(): readonly VerifyFinding[] {
    return this.#findings
  }

  add(kind: VerifyFinding['kind'], message: string, place: Partial<Pick<VerifyFinding, 'object' | 'chunk' | 'table'>> = {}): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push({ kind, object: place.object, chunk: place.chunk, table: place.table, message })
  }
}
