import type { ChangeHarness, ChangeTraits } from '../harness/change-harness.ts'
import type { ColumnKind } from '../harness/table-spec.ts'
import { always, type ConformanceCase } from '../suite/conformance-case.ts'

export type ChangeCase = ConformanceCase<ChangeTraits, ChangeHarness>

export type ChangeApplies = (traits: ChangeTraits) => true | string

/** A case from its parts; it holds for every source of changes unless `appliesTo` says otherwise. */
export function changeCase(id: string, title: string, run: (harness: ChangeHarness) => Promise<void>, appliesTo: ChangeApplies = always): ChangeCase {
  return { id, title, appliesTo, run }
}

/** Several conditions; the first reason counts. */
export function every(...conditions: readonly ChangeApplies[]): ChangeApplies {
  return (traits) => conditions.map((condition) => condition(traits)).find((answer) => answer !== true) ?? true
}

/** The engine must have columns of this kind. */
export function needsKind(kind: ColumnKind): ChangeApplies {
  return ({ facts }) => facts.kinds.includes(kind) || `the engine has no ${kind} columns`
}

export const needsResume: ChangeApplies = ({ capabilities }) => capabilities.resumes || 'positions end with the connection, see CHG-604'
export const needsRereads: ChangeApplies = ({ capabilities }) => capabilities.rereads || 'the log is read once'
export const needsExact: ChangeApplies = ({ capabilities }) => capabilities.transactions === 'exact' || 'the log does not keep where a transaction ends'
export const needsEvery: ChangeApplies = ({ capabilities }) => capabilities.changes === 'every' || 'the source gives net changes'
export const needsSnapshots: ChangeApplies = ({ capabilities }) => capabilities.snapshots || 'the source reads no chunks, see CHG-800'
export const needsAllWriters: ChangeApplies = ({ capabilities, facts }) => {
  if (!facts.clients) return 'there is one client only'
  return capabilities.seesAllWriters || 'writes of other clients are a gap, see CHG-309'
}
export const needsConsumers: ChangeApplies = ({ facts }) => facts.consumers === 'many' || 'the log keeps one place, whoever asks for it'
/** Elsewhere a feed cuts what it has read. */
export const needsThrough: ChangeApplies = ({ capabilities }) => capabilities.rereads || 'a log that is read once is not read up to a place'
export const needsPurge: ChangeApplies = ({ facts }) => facts.purges || 'the engine forgets by itself'
export const needsAlter = (kind: ChangeTraits['facts']['alters'][number]): ChangeApplies => ({ capabilities, facts }) => {
  if (!facts.alters.includes(kind)) return `a captured table can't be altered so: ${kind}`
  return capabilities.schemaChanges || 'the source does not see changes of columns'
}
