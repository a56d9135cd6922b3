import * as v from 'valibot'
import { nearestName } from '../util/nearest-name.ts'
import { toIssues, type Fault } from './fault.ts'
import type { ConfigIssue } from './tidemark-error.ts'

/** Longest name that is given back: what stands where an option's name should may be anything. */
const MAX_NAME = 64

/** What of options does not fit, all at once. No value is given back, since any may be a secret that stands in the wrong place. */
export function shapeIssues(schema: v.GenericSchema, options: unknown): readonly ConfigIssue[] {
  return toIssues(shapeFaults(schema, options))
}

/** The same, with paths as lists of keys. */
export function shapeFaults(schema: v.GenericSchema, value: unknown): readonly Fault[] {
  // An empty list would pass as an object without options.
  if ('entries' in schema && Array.isArray(value)) return [{ path: [], message: 'Must be an object.' }]
  const parsed = v.safeParse(schema, value, { message: sentence })
  return parsed.success ? [] : faultsOf(schema, parsed.issues)
}

/** Of a parse that failed; its schema has to have been parsed with {@link sentence}. */
export function faultsOf(schema: v.GenericSchema, issues: readonly v.BaseIssue<unknown>[]): readonly Fault[] {
  return issues.map((issue) => ({ path: pathOf(issue), message: messageOf(schema, issue) }))
}

function messageOf(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  if (isUnknown(issue)) return unknownOption(schema, issue)
  // Of what is missing the object speaks, which knows less of it than its own schema.
  return issue.received === 'undefined' ? ownMessage(schemaAt(schema, pathOf(issue))) ?? issue.message : issue.message
}

function ownMessage(schema: unknown): string | undefined {
  return typeof schema === 'object' && schema !== null && 'message' in schema && typeof schema.message === 'string' ? schema.message : undefined
}

/** Only where a schema has no words of its own: the library's would quote what it received. */
export function sentence({ expected, received }: v.BaseIssue<unknown>): string {
  return received === 'undefined' ? 'Must be given.' : `Must be ${expected ?? 'another value'}.`
}

/** A key of a list is a number, one of an object a text. */
function pathOf({ path }: v.BaseIssue<unknown>): readonly PropertyKey[] {
  return (path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
}

function isUnknown({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never'
}

function unknownOption(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  const path = pathOf(issue)
  const near = nearestName(String(path.at(-1) ?? '').slice(0, MAX_NAME), namesAt(schema, path.slice(0, -1)))
  return near === undefined ? 'Is not an option.' : `Is not an option. Did you mean \`${near}\`?`
}

/** The options that there are where the unknown one stands. */
function namesAt(schema: unknown, path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(partsOf(schemaAt(schema, path)).entries)
}

function schemaAt(schema: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return schema
  const { entries, each } = partsOf(schema)
  return schemaAt(each ?? entries[String(key)], rest)
}

interface Parts {
  readonly entries: Readonly<Record<string, unknown>>
  /** What lists and records have at every key. */
  readonly each?: unknown
}

/** By what valibot calls the parts of its schemas. */
function partsOf(schema: unknown): Parts {
  if (typeof schema !== 'object' || schema === null) return { entries: {} }
  if ('wrapped' in schema) return partsOf(schema.wrapped)
  if ('item' in schema) return { entries: {}, each: schema.item }
  if ('value' in schema && 'key' in schema) return { entries: {}, each: schema.value }
  return { entries: 'entries' in schema && typeof schema.entries === 'object' ? schema.entries as Readonly<Record<string, unknown>> : {} } // of an object's schema
}
