import type { OptionContext } from './connection-options.ts'

/** An option or argument, and where its faults go. */
export interface PlaceRule {
  /** As it is written. */
  readonly name: string
  readonly faults: OptionContext['faults']
}

/** Notes a fault; gives what stands for no value. */
export function refusePlace({ name, faults }: PlaceRule, message: string): undefined {
  faults.add(name, message)
}
