import type { RowVersions } from '../dialect/propagation-target.ts'
import type { Emitter } from '../events/emitter.ts'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PropagatorEvents } from './propagator-events.ts'
import type { DeadLetter } from './propagator-options.ts'
import type { PropagatorSettings } from './propagator-settings.ts'

/** What all parts of one propagator share. */
export interface PropagatorContext {
  readonly settings: PropagatorSettings
  readonly runtime: Runtime
  readonly logger: Logger
  readonly emitter: Emitter<PropagatorEvents>
  /** Of the rows of this instance, where several write. */
  readonly versions: RowVersions | undefined
  readonly deadLetter: ((letter: DeadLetter) => unknown) | undefined
}
