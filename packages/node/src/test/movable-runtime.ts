import { systemRuntime, type Runtime } from '@tidemark/core'

/** The host's clock, which can be put forward. Timers run as ever. */
export interface MovableRuntime extends Runtime {
  advance(ms: number): void
}

export function movableRuntime(): MovableRuntime {
  const runtime = systemRuntime()
  let aheadMs = 0
  return {
    ...runtime,
    now: () => runtime.now() + aheadMs,
    advance: (ms) => {
      aheadMs += ms
    },
  }
}
