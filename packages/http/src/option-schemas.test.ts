import { sValidator } from '@hono/standard-validator'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { Hono } from 'hono'
import { expect, it } from 'vitest'
import { configureBodySchema, createHandler, dumpBodySchema, handlerOptionsSchema } from './index.ts'

/** Somebody else's server, with somebody else's validator. */
const app = new Hono()
  .post('/configure', sValidator('json', configureBodySchema, (result, c) => (result.success ? undefined : c.json(result.error.map(told), 422))), (c) => c.json({ took: c.req.valid('json').name }))
  .post('/dump', sValidator('json', dumpBodySchema), (c) => c.json({ took: c.req.valid('json').format ?? 'sql' }))

function told({ path = [], message }: StandardSchemaV1.Issue): string {
  return `${path.map((segment) => String(typeof segment === 'object' ? segment.key : segment)).join('/')}: ${message}`
}

function send(path: string, body: unknown): Promise<Response> {
  return Promise.resolve(app.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }))
}

it('validates what is sent to configure and to dump, in a server and by a validator that know nothing of them', async () => {
  const wrong = await send('/configure', { name: '', sourceConfig: { dialect: 'postgresql', passwort: 'canary' }, sourceTable: 'users', trackingColum: 'id', columns: ['a', 2] })
  expect([wrong.status, await wrong.json()]).toEqual([422, [
    'name: Must not be empty.',
    'sourceConfig/passwort: Is not an option. Did you mean `password`?',
    'targetTable: Must be given.',
    'columns/1: Must be string.',
    'trackingColum: Is not an option. Did you mean `trackingColumn`?',
  ]])
  expect(await (await send('/configure', { name: 'users', sourceConfig: { dialect: 'app' }, sourceTable: 'users', targetTable: 'users' })).json()).toEqual({ took: 'users' })
  expect((await send('/dump', { fromat: 'csv' })).status).toBe(400)
  expect(await (await send('/dump', { format: 'csv', tables: ['users', { name: 'orders', limit: 3 }] })).json()).toEqual({ took: 'csv' })
})

it('says of the options of a handler what createHandler says', () => {
  const wrong = { autorize: () => true, changes: { heartBeatMs: 1 }, maxBodyBytes: 0 }
  const result = handlerOptionsSchema['~standard'].validate(wrong)
  expect(result.issues?.map(told)).toEqual([
    'authorize: Must be a function that says who may do what, such as bearerTokens({ admin: { env: \'ADMIN_TOKEN\' } }).',
    'changes/heartBeatMs: Is not an option. Did you mean `heartbeatMs`?',
    'maxBodyBytes: Must be at least 1.',
    'autorize: Is not an option. Did you mean `authorize`?',
  ])
  expect(() => createHandler(wrong as never)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID', issues: result.issues?.map(({ path, message }) => ({ path: path.join('.'), message })) }))
})
