import type { Capability } from './capability.ts'

/** What came of one part of a capability: what was seen, or how it was refused. */
export type Told = { readonly saw: unknown } | { readonly refused: string; readonly message: string }

/** By part. */
export type ToldParts = Readonly<Record<string, Told>>

export interface ToldStory {
  /** Of the runtime, as it says itself. */
  readonly version: string
  readonly chapters: Readonly<Record<Capability, ToldParts>>
}
