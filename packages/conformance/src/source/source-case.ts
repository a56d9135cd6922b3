import type { SourceHarness, SourceTraits } from '../harness/source-harness.ts'
import type { ColumnKind } from '../harness/table-spec.ts'
import { always, type ConformanceCase } from '../suite/conformance-case.ts'

export type SourceCase = ConformanceCase<SourceTraits, SourceHarness>

type Applies = (traits: SourceTraits) => true | string

/** A case from its parts; it holds for every source unless `appliesTo` says otherwise. */
export function sourceCase(id: string, title: string, run: (harness: SourceHarness) => Promise<void>, appliesTo: Applies = always): SourceCase {
  return { id, title, appliesTo, run }
}

/** The engine must have all of these kinds of columns. */
export function needsKinds(...kinds: readonly ColumnKind[]): Applies {
  return ({ facts }) => {
    const lacking = kinds.filter((kind) => !facts.kinds.includes(kind))
    return lacking.length === 0 || `the engine has no ${lacking.join(', ')} columns`
  }
}

/** Several conditions; the first reason counts. */
export function all(...conditions: readonly Applies[]): Applies {
  return (traits) => conditions.map((condition) => condition(traits)).find((answer) => answer !== true) ?? true
}

export const needsStream: Applies = ({ capabilities }) => capabilities.streamsRows || 'the source does not stream rows'
export const needsTransactions: Applies = ({ facts }) => facts.openTransactions || 'two clients can\'t be in transactions at once'
export const byGrace: Applies = ({ capabilities }) => capabilities.settling === 'grace' || 'the source proves that a mark has settled'
export const needsProof: Applies = ({ capabilities }) => capabilities.settling !== 'grace' || 'the source settles by a declared grace, see SRC-63'
