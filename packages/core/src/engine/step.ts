/** How much one step may do before it commits. Whatever is reached first ends it. */
export interface SliceBudget {
  readonly ms: number
  readonly rows: number
  readonly bytes: number
}

export interface StepOptions {
  readonly budget: SliceBudget
  readonly signal: AbortSignal
}

/**
 * Everything long is a step: bounded by a budget, ending at a durable commit. Killed anywhere, nothing is lost and at
 * most one slice is repeated, and repeating it has no effect.
 */
export interface Steppable {
  /** Does the next slice. `done: true` when there is nothing left to do. */
  step(options: StepOptions): Promise<{ readonly done: boolean }>
}
