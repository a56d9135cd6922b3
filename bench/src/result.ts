import type { Spread } from './measure/spread.ts'

/** One line of output. `ratio` above 1 means that we are faster than the peer. */
export interface BenchResult {
  readonly case: string
  /** Median of our side. */
  readonly ours: number
  /** Median of the peer. */
  readonly peer: number
  readonly ratio: number
  readonly unit: 'seconds' | 'milliseconds' | 'megabytes'
  readonly runs: number
  readonly oursSpread: Spread
  readonly peerSpread: Spread
  /** What the peer is, in words. */
  readonly peerName: string
  readonly rows: number
  readonly rowsPerSecond?: number | undefined
  /** Highest use of the JavaScript heap seen in our process, in megabytes of 1,000,000 bytes. */
  readonly heapMb?: number | undefined
  /** Highest resident memory of our process, as the kernel counts it. */
  readonly rssMb?: number | undefined
  /** Figures that only this case has. */
  readonly detail?: Readonly<Record<string, unknown>> | undefined
}

/** A case that could not be measured: never a figure. */
export interface BenchFailure {
  readonly case: string
  readonly error: string
}
