import * as v from 'valibot'
import type { ResolveConflict } from '../dialect/propagation-target.ts'
import { callable, positive } from '../options/option-shapes.ts'

/** `ConflictRules`, as senders and receivers have them. */
export const conflictEntries = {
  conflicts: v.optional(v.union([v.picklist(['single-writer', 'last-writer-wins']), callable<ResolveConflict>()], 'Must be "single-writer", "last-writer-wins" or a function.')),
  maxDriftMs: v.optional(positive),
  tombstoneMs: v.optional(positive),
  log: v.optional(v.string()),
}
