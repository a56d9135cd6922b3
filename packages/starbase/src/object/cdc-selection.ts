/** A change that a client wants to hear of. */
export interface CdcEventFilter {
  readonly action: 'INSERT' | 'UPDATE' | 'DELETE' | '*'
  /** `main`. */
  readonly schema: string
  readonly table: string
  /** An update that changes this column, or any insert or delete. Default: any. */
  readonly column?: string | undefined
}

export interface CdcSelection {
  /** Default: all that is captured. */
  readonly events?: readonly CdcEventFilter[] | undefined
  /** The `id` of the last message that the client has dealt with. Default: from now on. */
  readonly lastEventId?: string | undefined
}
