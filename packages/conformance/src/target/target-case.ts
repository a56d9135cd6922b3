import type { TargetHarness, TargetTraits } from '../harness/target-harness.ts'
import { always, type ConformanceCase } from '../suite/conformance-case.ts'

export type TargetCase = ConformanceCase<TargetTraits, TargetHarness>

/** A case from its parts; it holds for every target unless `appliesTo` says otherwise. */
export function targetCase(
  id: string,
  title: string,
  run: (harness: TargetHarness) => Promise<void>,
  appliesTo: (traits: TargetTraits) => true | string = always,
): TargetCase {
  return { id, title, appliesTo, run }
}

export const needsReconnect = ({ facts }: TargetTraits): true | string => facts.reconnects || 'the database lives and dies with one connection'
export const needsTriggers = ({ facts }: TargetTraits): true | string => facts.userTriggers || 'users can have no triggers'
