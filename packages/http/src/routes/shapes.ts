import * as v from 'valibot'

/** Names of tables and replications: anything that a database can have. */
export const nameShape = v.pipe(v.string(), v.minLength(1, 'Must not be empty.'), v.maxLength(255, 'Must have at most 255 characters.'), v.check((name) => !name.includes('\0'), 'Must not contain NUL.'))

/** Ids that we have made. */
export const idShape = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,128}$/, 'Must be letters, digits, `_` and `-`.'))

export const wholeNumber = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(0, 'Must not be negative.'))

export const positiveNumber = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))

/** A string of RFC 8941, as the draft has it, or the bare text that most clients send: 1 to 255 visible characters and, in quotes, spaces. */
export const idempotencyShape = v.strictObject({
  'idempotency-key': v.optional(v.pipe(
    v.string(), v.regex(/^("[\x20\x21\x23-\x5b\x5d-\x7e]{1,255}"|[\x21\x23-\x5b\x5d-\x7e]{1,255})$/, 'Must be 1 to 255 visible characters without a quote or a backslash, in quotes or without.'),
    v.transform((text) => text.replaceAll('"', '')),
  )),
})

export const nameParams = v.strictObject({ name: nameShape })

export const exportParams = v.strictObject({ exportId: idShape })

const MAX_LIMIT = 500

/** How many entries, as a query has it: text. */
export const limitShape = v.pipe(v.string(), v.regex(/^[1-9]\d{0,2}$/, `Must be a whole number from 1 to ${MAX_LIMIT}.`), v.transform(Number), v.number(), v.maxValue(MAX_LIMIT, `Must be at most ${MAX_LIMIT}.`))

export const flagShape = v.pipe(v.picklist(['true', 'false'], 'Must be true or false.'), v.transform((text) => text === 'true'))

/** What prior designs answered an action with. */
export const doneShape = v.object({ success: v.literal(true), message: v.string() })

export const isoTime = v.pipe(v.string(), v.isoTimestamp())

/** An error as status and logs have it. */
export const errorShape = v.object({ code: v.string(), message: v.string(), retryable: v.boolean(), remedy: v.string(), detail: v.optional(v.string()) })

export const resultShape = v.object({
  name: v.string(), rows: wholeNumber, rowsRead: wholeNumber, durationMs: v.number(),
  unsettled: v.object({ marks: wholeNumber, sinceMs: v.optional(v.number()) }),
})
