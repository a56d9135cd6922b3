import * as v from 'valibot'

const positive = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))

/** `ConflictRules`, as senders and receivers have them. */
export const conflictEntries = {
  conflicts: v.optional(v.union([v.picklist(['single-writer', 'last-writer-wins']), v.custom((value) => typeof value === 'function')], 'Must be "single-writer", "last-writer-wins" or a function.')),
  maxDriftMs: v.optional(positive),
  tombstoneMs: v.optional(positive),
  log: v.optional(v.string()),
}
