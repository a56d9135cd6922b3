export interface StoredState {
  readonly value: string
  /** Grows by one with every `set`. */
  readonly version: number
}

/** Small durable values with compare-and-set, for jobs that have no SQL target of their own. */
export interface StateStore {
  get(key: string): Promise<StoredState | undefined>
  /**
   * `expected` is the version last read, or `undefined` to create. Returns the new version.
   * Errors: `STATE_CONFLICT` when another writer was faster; nothing is written then.
   */
  set(key: string, value: string, expected: number | undefined): Promise<number>
  delete(key: string): Promise<void>
  list(prefix: string): Promise<readonly string[]>
}
