import type { AbortOptions, SourceConnection } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { everythingIn } from '../assert/everything-in.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { within } from '../assert/within.ts'
import { TidemarkError } from '@tidemark/core/adapter'
import { all, sourceCase, type SourceCase } from './source-case.ts'
import { EVENTS, event, openFixture, read, request, type SourceFixture } from './source-fixture.ts'
import type { SourceTraits } from '../harness/source-harness.ts'

/** What an abort may take: the answer to a cancel request, not the rest of the query. */
const ABORT_LIMIT_MS = 1_000

type Call = (fixture: SourceFixture, connection: SourceConnection, options: AbortOptions) => Promise<unknown>

/** Every method of a connection, called in the plainest way. */
const METHODS: Readonly<Record<string, { readonly call: Call; readonly has?: (traits: SourceTraits) => true | string }>> = {
  describeTable: { call: ({ created }, connection, options) => connection.describeTable(created.ref, options) },
  readRows: { call: (fixture, connection, options) => connection.readRows(request(fixture, { tracking: 'seen', ...options })) },
  readRowsByKey: {
    call: ({ table }, connection, options) => connection.readRowsByKey({ table, columns: table.columns, key: ['id'], keys: [[1]], ...options }),
  },
  readHighMark: { call: ({ table }, connection, options) => connection.readHighMark({ table, key: ['id'], tracking: 'seen', ...options }) },
  streamRows: {
    has: ({ capabilities }) => capabilities.streamsRows || 'the source does not stream rows',
    call: ({ table }, connection, options) => countStreamed(connection, { table, columns: table.columns, key: ['id'], ...options }),
  },
  diagnose: {
    has: ({ capabilities }) => capabilities.diagnoses || 'the source does not diagnose',
    call: ({ table }, connection, options) => defined(connection.diagnose?.bind(connection), 'diagnose')({ table, tracking: 'seen', ...options }),
  },
}

export const lifecycleCases: readonly SourceCase[] = Object.entries(METHODS).flatMap(([name, { call, has = () => true as const }]) => [
  sourceCase(`SRC-85.${name}`, `${name} works again and again, and on a second connection`, async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await call(fixture, fixture.connection, {})
    await using second = await harness.source().connect()
    await call(fixture, second, {})
    await call(fixture, fixture.connection, {})
    await fixture.connection[Symbol.asyncDispose]()
    await call(fixture, second, {})
  }, has),
  sourceCase(`SRC-86.${name}`, `${name} on a closed connection is CLOSED`, async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await fixture.connection[Symbol.asyncDispose]()
    await failsWith('CLOSED', () => call(fixture, fixture.connection, {}), name)
  }, has),
  sourceCase(`SRC-87.${name}`, `${name} with a signal that has fired is ABORTED, and the next call works`, async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await failsWith('ABORTED', () => call(fixture, fixture.connection, { signal: AbortSignal.abort() }), name)
    await call(fixture, fixture.connection, {})
  }, has),
  sourceCase(`SRC-88.${name}`, `${name} aborted in flight settles, and the next call works`, async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    const controller = new AbortController()
    const pending = settle(() => call(fixture, fixture.connection, { signal: controller.signal }))
    controller.abort()
    checkAborted(await within(ABORT_LIMIT_MS, pending, name))
    await call(fixture, fixture.connection, {})
  }, has),
])

/** The methods that read the table itself, and so can be made to wait for it. */
const READING = ['readRows', 'readRowsByKey', 'readHighMark', 'streamRows'] as const

export const blockedCases: readonly SourceCase[] = READING.flatMap((name) => {
  const method = METHODS[name]
  if (method === undefined) return []
  const { call, has = () => true as const } = method
  const blocks = ({ facts }: SourceTraits): true | string => facts.blocksReads || 'reads never wait for another client'
  return sourceCase(`SRC-89.${name}`, `${name} aborted while the server makes it wait is ABORTED at once, and the next call works`, async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    {
      await using _block = await defined(harness.blockReads?.bind(harness), 'blockReads, which the facts promise')(fixture.created)
      const controller = new AbortController()
      const pending = settle(() => call(fixture, fixture.connection, { signal: controller.signal }))
      // Long enough for the statement to reach the server; were it not, the case would still be right.
      setTimeout(() => controller.abort(), 100)
      const outcome = await within(100 + ABORT_LIMIT_MS, pending, name)
      check('error' in outcome, `${name} does not succeed while the table is locked`)
      checkAborted(outcome)
    }
    await call(fixture, fixture.connection, {})
  }, all(has, blocks))
})

export const connectionCases: readonly SourceCase[] = [
  sourceCase('SRC-01', 'capabilities are answered in full, as announced, and the connection has just the methods they promise', async (harness) => {
    const { capabilities } = harness.source()
    const kinds = Object.entries(capabilities).map(([name, value]) => `${name}:${typeof value}`).toSorted()
    equal(kinds, ['detectsRewind:boolean', 'diagnoses:boolean', 'keepsOrdinals:boolean', 'reportsSchemaVersion:boolean', 'settling:string', 'streamsRows:boolean'], 'capabilities')
    await using connection = await harness.source().connect()
    equal(typeof connection.streamRows === 'function', capabilities.streamsRows, 'streamRows is there')
    equal(typeof connection.diagnose === 'function', capabilities.diagnoses, 'diagnose is there')
  }),
  sourceCase('SRC-90', 'connecting with a signal that has fired is ABORTED', async (harness) => {
    await failsWith('ABORTED', () => harness.source().connect({ signal: AbortSignal.abort() }), 'connecting')
  }),
  sourceCase('SRC-91', 'closing twice is no error, also before anything was read', async (harness) => {
    const connection = await harness.source().connect()
    await connection[Symbol.asyncDispose]()
    await connection[Symbol.asyncDispose]()
  }),
  sourceCase('SRC-92', 'an address where nobody listens is SOURCE_UNREACHABLE, without the secret', async (harness) => {
    const failing = defined(harness.unreachable?.(), 'unreachable, which the facts promise')
    await failsQuietly('SOURCE_UNREACHABLE', failing)
  }, ({ facts }) => facts.unreachable || 'the source has no address that could be wrong'),
  sourceCase('SRC-93', 'a wrong password is SOURCE_AUTH_FAILED, without the secret', async (harness) => {
    const failing = defined(harness.wrongPassword?.(), 'wrongPassword, which the facts promise')
    await failsQuietly('SOURCE_AUTH_FAILED', failing)
  }, ({ facts }) => facts.wrongPassword || 'the source knows no passwords'),
  sourceCase('SRC-94', 'a session that the server ended costs at most one call', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, 1)])
    await defined(harness.killConnections?.bind(harness), 'killConnections, which the facts promise')()
    const outcome = await settle(() => read(fixture))
    if ('error' in outcome) {
      check(outcome.error instanceof TidemarkError, 'the error is a TidemarkError')
      equal([outcome.error.code, outcome.error.retryable], ['SOURCE_UNREACHABLE', true], 'code')
    }
    equal((await read(fixture)).rows.length, 1, 'rows of the next call')
  }, ({ facts }) => facts.killsConnections || 'no server can end a session'),
  sourceCase('SRC-95', 'diagnose gives findings with an id, a severity and a message', async (harness) => {
    await using fixture = await openFixture(harness, EVENTS, [event(1, null)])
    const findings = await defined(fixture.connection.diagnose?.bind(fixture.connection), 'diagnose')({ table: fixture.table, tracking: 'seen' })
    for (const { id, severity, message } of findings) {
      check(/^[a-z][a-z0-9-]+$/u.test(id) && ['error', 'warning', 'info'].includes(severity) && message.length > 0, `${id} is a finding`)
    }
    check(findings.length > 0, 'a nullable tracking column without index is worth a finding')
  }, ({ capabilities }) => capabilities.diagnoses || 'the source does not diagnose'),
]

function checkAborted(outcome: { readonly value: unknown } | { readonly error: unknown }): void {
  if (!('error' in outcome)) return
  const { error } = outcome
  if (!(error instanceof TidemarkError) || error.code !== 'ABORTED') throw new ConformanceError('an aborted call fails with ABORTED or not at all', { actual: error })
}

/** The secret must be in nothing that a log could print: message, code, cause and stack of the whole chain. */
async function failsQuietly(
  code: 'SOURCE_UNREACHABLE' | 'SOURCE_AUTH_FAILED',
  failing: { readonly source: ReturnType<Parameters<SourceCase['run']>[0]['source']>; readonly secret: string },
): Promise<void> {
  const error = await failsWith(code, async () => {
    await using connection = await failing.source.connect()
    await connection.describeTable({ name: 'events' })
  }, 'connecting')
  check(!everythingIn(error).includes(failing.secret), 'the error does not hold the secret')
  check(!failing.source.address.includes(failing.secret), 'the address does not hold the secret')
}

async function countStreamed(connection: SourceConnection, request: Parameters<NonNullable<SourceConnection['streamRows']>>[0]): Promise<number> {
  const streamRows = defined(connection.streamRows?.bind(connection), 'streamRows')
  await using stream = await streamRows(request)
  let bytes = 0
  for await (const chunk of stream) bytes += chunk.length
  return bytes
}
