import * as v from 'valibot'
import { nearestName } from '../util/nearest-name.ts'
import type { ConfigIssue } from './tidemark-error.ts'

/** Longest name that is given back: what stands where an option's name should may be anything. */
const MAX_NAME = 64

/** What of options does not fit, all at once. No value is given back, since any may be a secret that stands in the wrong place. */
export function shapeIssues(schema: v.GenericSchema, options: unknown): readonly ConfigIssue[] {
  // Only where a schema has no words of its own: the library's would quote what it received.
  const parsed = v.safeParse(schema, options, { message: ({ expected, received }) => (received === 'undefined' ? 'Must be given.' : `Must be ${expected ?? 'another value'}.`) })
  return parsed.success ? [] : parsed.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: isUnknown(issue) ? unknownOption(schema, issue) : issue.message }))
}

function isUnknown({ type, expected }: v.BaseIssue<unknown>): boolean {
  return type === 'strict_object' && expected === 'never'
}

function unknownOption(schema: v.GenericSchema, { path }: v.BaseIssue<unknown>): string {
  const keys = (path ?? []).map(({ key }) => String(key))
  const name = keys.at(-1) ?? ''
  const near = nearestName(name.slice(0, MAX_NAME), namesAt(schema, keys.slice(0, -1)))
  return near === undefined ? 'Is not an option.' : `Is not an option. Did you mean \`${near}\`?`
}

/** The options that there are where the unknown one stands. */
function namesAt(schema: unknown, path: readonly string[]): readonly string[] {
  const entries = entriesOf(schema)
  const [key, ...rest] = path
  return key === undefined ? Object.keys(entries) : namesAt(entries[key], rest)
}

function entriesOf(schema: unknown): Readonly<Record<string, unknown>> {
  if (typeof schema !== 'object' || schema === null) return {}
  if ('wrapped' in schema) return entriesOf(schema.wrapped)
  // What valibot calls `entries` of an object's schema.
  return 'entries' in schema && typeof schema.entries === 'object' ? schema.entries as Readonly<Record<string, unknown>> : {}
}
