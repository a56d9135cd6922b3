import { printPosition, type LogPosition } from '../change/log-position.ts'
import type { ChangeConnection, ChangeSlice, SliceLimit } from '../dialect/change-source.ts'

export interface LogRead {
  readonly after: LogPosition
  readonly through?: LogPosition | undefined
  readonly limit: SliceLimit
}

/** Slices kept, so that peers which are near to each other have the log read and decoded once. */
const MAX_SLICES = 6

/**
 * One log for several readers, each at a place of its own. Those that have read the same slice read the next from the same place, so that
 * peers which keep up share every read.
 */
export class SharedLog {
  readonly #connection: ChangeConnection
  readonly #signal: AbortSignal
  readonly #slices = new Map<string, Promise<ChangeSlice>>()

  /** The signal ends all reads: one reader must not end what another waits for. */
  constructor(connection: ChangeConnection, signal: AbortSignal) {
    this.#connection = connection
    this.#signal = signal
  }

  /** Errors: those of `readChanges`. */
  read(request: LogRead): Promise<ChangeSlice> {
    const key = keyOf(request)
    const known = this.#slices.get(key)
    if (known !== undefined) return known
    const slice = this.#connection.readChanges({ ...request, signal: this.#signal })
    this.#keep(key, slice)
    return slice
  }

  #keep(key: string, slice: Promise<ChangeSlice>): void {
    this.#slices.set(key, slice)
    const oldest = this.#slices.keys().next().value
    if (this.#slices.size > MAX_SLICES && oldest !== undefined) this.#slices.delete(oldest)
    const forget = (): void => {
      if (this.#slices.get(key) === slice) this.#slices.delete(key)
    }
    // Nothing there yet: the next look may find something.
    slice.then(({ events, schemas }) => (events.length === 0 && schemas.length === 0 ? forget() : undefined), forget)
  }
}

function keyOf({ after, through, limit }: LogRead): string {
  return [printPosition(after), after.detail, through === undefined ? '' : printPosition(through), limit.events, limit.bytes].join(' ')
}
