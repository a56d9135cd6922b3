import * as v from 'valibot'

/** As `toSequence` makes it: its length and its digits, so that text order is log order. */
export const sequence = v.pipe(v.string(), v.regex(/^[0-9a-z]{2,37}$/), v.check((value) => value.length - 2 === Number.parseInt(value.charAt(0), 36)))
