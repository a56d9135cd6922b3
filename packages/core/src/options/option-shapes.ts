import * as v from 'valibot'
import type { Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SecretInput } from '../util/secret.ts'
import { having } from '../errors/standard-schema.ts'

/** What options of several capabilities look like. */
export const count = v.pipe(v.number(), v.integer('Must be a whole number.'), v.minValue(1, 'Must be at least 1.'))
export const positive = v.pipe(v.number(), v.finite('Must be finite.'), v.gtValue(0, 'Must be greater than 0.'))
/** Milliseconds, 0 too. */
export const duration = v.pipe(v.number(), v.finite('Must be finite.'), v.minValue(0, 'Must not be negative.'))
export const text = v.pipe(v.string(), v.minLength(1, 'Must not be empty.'))
export const callable = <T>(): v.GenericSchema<T, T> => v.custom<T>((value) => typeof value === 'function', 'Must be a function.')

/** Exact: one that is there and undefined would take the default's place. */
export const backoff = v.strictObject({ baseMs: v.exactOptional(positive), maxMs: v.exactOptional(positive) })
export const retry = v.strictObject({ attempts: v.exactOptional(count), ...backoff.entries })

export const runtime = v.optional(having<Runtime>(['now', 'sleep'], 'Must be a runtime.'))
export const logger = v.optional(having<Logger>(['warn', 'error'], 'Must be a logger.'))

type SecretFunction = Extract<SecretInput, (...given: never) => unknown>
export const secret = v.union([text, v.strictObject({ env: text }), callable<SecretFunction>()], 'Must be a text, { env } or a function.')
