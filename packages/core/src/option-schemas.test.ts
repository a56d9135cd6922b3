import type { StandardSchemaV1 } from '@standard-schema/spec'
import { describe, expect, it } from 'vitest'
import {
  changeStreamOptionsSchema, exporterOptionsSchema, exportRequestSchema, importerOptionsSchema, propagatorOptionsSchema, receiverOptionsSchema, replicationRulesSchema, replicationSchema,
  replicatorOptionsSchema, Replicator, TidemarkError,
} from './index.ts'

/** As any library does that takes Standard Schemas: knows nothing of ours. */
async function validate<T>(schema: StandardSchemaV1<unknown, T> | StandardSchemaV1<T, T>, value: unknown): Promise<readonly string[] | T> {
  const { version, vendor, validate: run } = schema['~standard']
  expect([version, typeof vendor]).toEqual([1, 'string'])
  const result = await run(value)
  if (result.issues === undefined) return result.value
  return result.issues.map(({ path = [], message }) => `${path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('/')}: ${message}`)
}

const source = { name: 'x', connect: () => undefined, parseTable: (name: string) => ({ name }), capabilities: {} }
const target = { connect: () => undefined }

describe('Standard Schemas of options', () => {
  it('says everything that is wrong at once, with where it is and what is right', async () => {
    const options = {
      target, concurency: 2,
      replications: [
        { name: '', source, sourceTable: 'users' },
        { name: 'b', source, sourceTable: 'users', targetTable: 'sqlite_b', schedule: 'every day', syncIntervalMinutes: 5 },
        { name: 'c', source, sourceTable: 'users', trakingColumn: 'id', types: { price: { typ: 'real' } } },
      ],
    }
    const faults = await validate(replicatorOptionsSchema, options)
    expect(faults).toEqual([
      'replications/0/name: Must not be empty.',
      'replications/2/types/price/typ: Is not an option. Did you mean `type`?',
      'replications/2/trakingColumn: Is not an option. Did you mean `trackingColumn`?',
      'concurency: Is not an option. Did you mean `concurrency`?',
      'replications/1/schedule: Give either a schedule or syncIntervalMinutes.',
      expect.stringMatching(/^replications\/1\/schedule: /),
      'replications/1/targetTable: Must not begin with "sqlite_", which SQLite reserves.',
    ])
    // The constructor says the very same.
    expect(() => new Replicator(options as never)).toThrow(expect.objectContaining({ issues: expect.arrayContaining([{ path: 'replications[2].types.price.typ', message: 'Is not an option. Did you mean `type`?' }]) as unknown }))
    expect(caught(() => new Replicator(options as never)).issues).toHaveLength((faults as readonly string[]).length)
  })

  it('gives the very value back when nothing is wrong', async () => {
    const rules = { name: 'users', sourceTable: 'users', types: { price: { type: 'real' } }, reconcile: false }
    expect(await validate(replicationRulesSchema, rules)).toBe(rules)
    const replication = { ...rules, source }
    expect(await validate(replicationSchema, replication)).toBe(replication)
    const request = { tables: ['a', { name: 'b', limit: 1 }], exclude: [/^tmp/], callback: { url: 'https://x', secret: { env: 'X' } } }
    expect(await validate(exportRequestSchema, request)).toBe(request)
  })

  it('refuses what is not even an object, and quotes nothing that was given', async () => {
    const all: readonly StandardSchemaV1[] = [
      changeStreamOptionsSchema, exporterOptionsSchema, exportRequestSchema, importerOptionsSchema, propagatorOptionsSchema, receiverOptionsSchema, replicationRulesSchema, replicationSchema, replicatorOptionsSchema,
    ]
    for (const schema of all) {
      for (const value of [undefined, null, 'canary-secret', 1, [], () => undefined, Symbol('canary-secret')]) expect(await validate(schema, value)).toEqual(expect.arrayContaining([expect.any(String)]))
      const keys = ['name', 'source', 'target', 'format', 'tables', 'exclude', 'callback', 'encryption', 'peers', 'origin', 'authorize', 'sourceTable', 'replications', 'reconcile', 'sources', 'conflicts', 'retry']
      for (const wrong of ['canary-secret', { canary: 'canary-secret' }, [{ a: 'canary-secret' }], ['canary-secret', 3]]) {
        const given = Object.fromEntries(keys.map((key) => [key, wrong]))
        expect(JSON.stringify((await validate(schema, given) as readonly string[]).map((text) => text.slice(text.indexOf(': '))))).not.toContain('canary-secret')
      }
    }
  })

  it('leaves no option undefined that would take the place of a default', async () => {
    expect(await validate(replicatorOptionsSchema, { target, retry: { attempts: undefined } })).toEqual(['retry/attempts: Must be given.'])
  })
})

function caught(work: () => unknown): TidemarkError {
  try {
    work()
  } catch (error) {
    if (error instanceof TidemarkError) return error
  }
  throw new Error('It did not throw.')
}
