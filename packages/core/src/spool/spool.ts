import type { AbortOptions } from '../dialect/source.ts'

/**
 * Room outside of memory for what can't be delivered yet. What it holds is of no worth to another process, and need not outlast this one:
 * whoever uses it can have all of it again.
 */
export interface Spool {
  /** A new file, empty. Errors: `SPOOL_FAILED`. */
  open(options?: AbortOptions): Promise<SpoolFile>
}

/** Written and read at places that its user keeps. Disposing frees its room. */
export interface SpoolFile extends AsyncDisposable {
  /** All of the bytes, from `at` on, over what is there. They are not kept and may change once it has resolved. Errors: `SPOOL_FAILED`. */
  write(at: number, bytes: Uint8Array): Promise<void>
  /** As many bytes as asked for, fewer at the end. Errors: `SPOOL_FAILED`. */
  read(at: number, length: number): Promise<Uint8Array>
}
