import * as v from 'valibot'
import { expect, it } from 'vitest'
import { shapeIssues } from './shape-issues.ts'

const schema = v.strictObject({ timeoutMs: v.optional(v.number()), retry: v.optional(v.strictObject({ attempts: v.optional(v.number()) })), log: v.optional(v.string()) })

it('tells every fault at once, with where it is and the name that was meant', () => {
  expect(shapeIssues(schema, { timeoutMS: 1, retry: { atempts: 2 }, log: 3, colour: 'red' })).toEqual([
    { path: 'retry.atempts', message: 'Is not an option. Did you mean `attempts`?' },
    { path: 'log', message: 'Must be string.' },
    { path: 'timeoutMS', message: 'Is not an option. Did you mean `timeoutMs`?' },
  ])
})

it('quotes no value, which may be a secret in the wrong place', () => {
  expect(JSON.stringify(shapeIssues(schema, { timeoutMs: 'canary-secret', token: 'canary-secret' }))).not.toContain('canary')
})
