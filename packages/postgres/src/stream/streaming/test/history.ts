import fc from 'fast-check'

/** What a transaction does: a row of a table, new columns of a table that only it uses, or a savepoint and what becomes of it. */
export type Step =
  | { readonly kind: 'row'; readonly table: number; readonly bytes: number }
  | { readonly kind: 'alter' }
  | { readonly kind: 'savepoint'; readonly steps: readonly Step[]; readonly isKept: boolean }

/** Transactions that go on side by side, and in which order they come to their next step. */
export interface History {
  readonly transactions: readonly { readonly steps: readonly Step[]; readonly isCommitted: boolean }[]
  /** Of a transaction; or of none of them: a small transaction, or other columns of a table that all use. */
  readonly order: readonly (number | 'small' | 'publish')[]
}

/** Tables that all use. */
export const SHARED = 3

const row = fc.record({ kind: fc.constant('row' as const), table: fc.nat(SHARED), bytes: fc.oneof({ weight: 8, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.constant(200_000) }) })

const { steps } = fc.letrec<{ steps: readonly Step[]; step: Step }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 6, depthIdentifier: 'savepoint' }),
  step: fc.oneof(
    { depthSize: 'small', depthIdentifier: 'savepoint' },
    { weight: 5, arbitrary: row },
    { weight: 1, arbitrary: fc.constant({ kind: 'alter' as const }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('savepoint' as const), steps: tie('steps'), isKept: fc.boolean() }) },
  ),
}))

export const histories: fc.Arbitrary<History> = fc.record({
  transactions: fc.array(fc.record({ steps, isCommitted: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }) }), { minLength: 1, maxLength: 4 }),
  order: fc.array(fc.oneof({ weight: 8, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant('small' as const) }, { weight: 1, arbitrary: fc.constant('publish' as const) }), { maxLength: 60 }),
})
