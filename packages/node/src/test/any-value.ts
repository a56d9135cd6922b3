import fc from 'fast-check'

/** What SQLite can hold, in every storage class, crowded around the places where classes and doubles meet. */
export const anyValue = fc.oneof(
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 4n }),
  fc.bigInt({ min: -2n, max: 2n }),
  fc.double({ noNaN: true }),
  fc.integer({ min: -2, max: 2 }),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('1', '1.0', 'a\0b', 'a', '\uFFFD', ''),
  fc.uint8Array({ maxLength: 3 }),
)
