import type { ConformanceCase, Selection } from './conformance-case.ts'

export interface SelectedCase<Traits, Harness> {
  readonly case: ConformanceCase<Traits, Harness>
  readonly applies: true | string
}

/**
 * Chooses cases and says of each whether it applies. Throws on an unknown or doubled id and when nothing
 * applies: an empty run is a mistake, never a success.
 */
export function selectCases<Traits, Harness>(
  cases: readonly ConformanceCase<Traits, Harness>[],
  traits: Traits,
  selection: Selection = {},
): readonly SelectedCase<Traits, Harness>[] {
  const known = new Set(cases.map((one) => one.id))
  if (known.size !== cases.length) throw new TypeError('Two conformance cases have the same id.')
  const only = selection.only
  const unknown = only?.filter((id) => !known.has(id)) ?? []
  if (unknown.length > 0) throw new TypeError(`No conformance case has the id ${unknown.join(', ')}.`)
  const selected = cases
    .filter((one) => only === undefined || only.includes(one.id))
    .map((one) => ({ case: one, applies: one.appliesTo(traits) }))
  if (!selected.some((one) => one.applies === true)) throw new TypeError('No conformance case applies to this selection.')
  return selected
}
