/** What the sockets of a host can do. */
export interface Host {
  /** Whether a socket can read into memory that it is given. */
  readonly readsIntoGivenMemory: boolean
  /** Whether TLS can begin on a socket that was spoken over, as MySQL has it. */
  readonly beginsTlsLate: boolean
}
