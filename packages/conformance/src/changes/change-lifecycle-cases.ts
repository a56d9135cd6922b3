import type { AbortOptions, ChangeConnection, ErrorCode, Fence } from '@tidemark/core/adapter'
import { TidemarkError } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { ConformanceError } from '../assert/conformance-error.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { everythingIn } from '../assert/everything-in.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { within } from '../assert/within.ts'
import type { ChangeHarness, ChangeTraits, FailingChangeSource } from '../harness/change-harness.ts'
import { changeCase, type ChangeCase } from './change-case.ts'
import { AMPLE, brief, capture, captureOne, insert, item, items, ITEMS, SOURCE_NAME, update } from './change-fixture.ts'
import { acquire, leaseOf, NOW_MS, TTL_MS } from './retaining.ts'

/** What an abort may take: the answer to a cancel request, not the rest of the query. */
const ABORT_LIMIT_MS = 1_000
/** A limit that stands for "never". */
const WAKE_LIMIT_MS = 5_000

/** A table with a row, and a lease. */
type HeldFixture = Awaited<ReturnType<typeof captureOne>> & { readonly fence: Fence }

interface Method {
  readonly call: (fixture: HeldFixture, connection: ChangeConnection, options: AbortOptions) => Promise<unknown>
  readonly has?: (traits: ChangeTraits) => true | string
  /** Leases take no signal: they are small. */
  readonly takesSignal?: false
}

/** Every method of a connection, called in the plainest way. */
const METHODS: Readonly<Record<string, Method>> = {
  tables: { call: (_fixture, connection, options) => connection.tables(options) },
  head: { call: (_fixture, connection, options) => connection.head(options) },
  verify: { call: (fixture, connection, options) => connection.verify(fixture.start, options) },
  readChanges: { call: (fixture, connection, options) => connection.readChanges({ after: fixture.start, limit: AMPLE, ...options }) },
  readChunk: {
    has: ({ capabilities }) => capabilities.snapshots || 'the source reads no chunks',
    call: (_fixture, connection, options) => defined(connection.readChunk?.bind(connection), 'readChunk')({ table: 'items', limit: AMPLE, ...options }),
  },
  retain: {
    call: (fixture, connection, options) => connection.retain({ consumer: 'reader', position: fixture.start, fence: fixture.fence, ...options }),
  },
  release: { call: (_fixture, connection, options) => connection.release('nobody', options) },
  retained: { call: (_fixture, connection, options) => connection.retained('nobody', options) },
  purge: { call: (_fixture, connection, options) => connection.purge(options) },
  lag: { call: (fixture, connection, options) => connection.lag(fixture.start, options) },
  'leases.acquireLease': { takesSignal: false, call: (_fixture, connection) => connection.leases.acquireLease(leaseOf('other', { nowMs: NOW_MS + 10 * TTL_MS })) },
  'leases.renewLease': { takesSignal: false, call: ({ fence }, connection) => connection.leases.renewLease(fence, leaseOf('reader')) },
  'leases.releaseLease': { takesSignal: false, call: (_fixture, connection) => connection.leases.releaseLease({ lease: 'other', token: 0 }) },
}

const always = (): true => true
/** Need the log itself, or the lease that goes with it. */
const READS: ReadonlySet<string> = new Set(['readChanges', 'retain'])

/** Every method, open and closed, aborted and not. */
export const methodCases: readonly ChangeCase[] = Object.entries(METHODS).flatMap(([name, { call, has = always, takesSignal = true }]) => [
  changeCase(`CHG-901.${name}`, `${name} works again and again, and on a second connection`, async (harness) => {
    await using fixture = await openHeld(harness)
    await call(fixture, fixture.connection, {})
    await using second = await capture(harness, [fixture.table])
    // A position may be of no use to another connection; the lease is kept where the log is.
    const other = { ...fixture, start: second.start }
    // A log with one reader is no other's while somebody has it.
    const { resumes, rereads } = fixture.source.capabilities
    if (resumes && (rereads || !READS.has(name))) await call(other, second.connection, {})
    await call(fixture, fixture.connection, {})
    await fixture.connection[Symbol.asyncDispose]()
    if (resumes && (rereads || !READS.has(name))) await call(other, second.connection, {})
  }, has),
  changeCase(`CHG-902.${name}`, `${name} on a closed connection is CLOSED`, async (harness) => {
    await using fixture = await openHeld(harness)
    await fixture.connection[Symbol.asyncDispose]()
    await failsWith('CLOSED', () => call(fixture, fixture.connection, {}), name)
  }, has),
  ...(takesSignal ? [
    changeCase(`CHG-903.${name}`, `${name} with a signal that has fired is ABORTED, and the next call works`, async (harness) => {
      await using fixture = await openHeld(harness)
      await failsWith('ABORTED', () => call(fixture, fixture.connection, { signal: AbortSignal.abort() }), name)
      await call(fixture, fixture.connection, {})
    }, has),
    changeCase(`CHG-904.${name}`, `${name} aborted in flight settles, and the next call works`, async (harness) => {
      await using fixture = await openHeld(harness)
      const controller = new AbortController()
      const pending = settle(() => call(fixture, fixture.connection, { signal: controller.signal }))
      controller.abort()
      checkOutcome(await within(ABORT_LIMIT_MS, pending, name), 'ABORTED')
      await call(fixture, fixture.connection, {})
    }, has),
  ] : []),
])

/** Connections from their beginning to their end. */
export const changeLifecycleCases: readonly ChangeCase[] = [
  changeCase('CHG-910', 'connecting with a signal that has fired is ABORTED', async (harness) => {
    const table = await harness.createTable(ITEMS)
    await failsWith('ABORTED', () => harness.source({ tables: [table.ref], name: SOURCE_NAME }).connect({ signal: AbortSignal.abort() }), 'connecting')
  }),
  changeCase('CHG-911', 'closing twice is no error, and a call under way settles', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, items(1, 50)))
    const pending = settle(() => fixture.connection.readChanges({ after: fixture.start, limit: AMPLE }))
    await fixture.connection[Symbol.asyncDispose]()
    await fixture.connection[Symbol.asyncDispose]()
    checkOutcome(await within(ABORT_LIMIT_MS, pending, 'readChanges'), 'CLOSED')
  }),
  changeCase('CHG-912', 'a source that keeps nothing leaves nothing behind', async (harness) => {
    const table = await harness.createTable(ITEMS)
    const before = await harness.schemaDigest()
    const fixture = await capture(harness, [table])
    await fixture.client.run(insert(table, [item(1)]))
    await fixture.reader.drain()
    await fixture[Symbol.asyncDispose]()
    equal(await harness.schemaDigest(), before, 'the database')
  }, ({ capabilities }) => !capabilities.resumes || 'the log outlives the connection'),
  changeCase('CHG-913', 'capturing again what is captured already changes nothing', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const before = await harness.schemaDigest()
    await using again = await capture(harness, [fixture.table])
    equal(await harness.schemaDigest(), before, 'the database')
    await fixture.client.run(insert(fixture.table, [item(1)]))
    equal(brief(await again.reader.drain()), ['insert 1'], 'changes')
  }, ({ capabilities }) => capabilities.resumes || 'the log ends with the connection'),
  changeCase('CHG-914', 'writers go on as before once the source is closed', async (harness) => {
    const fixture = await captureOne(harness, ITEMS, [item(1)])
    await fixture[Symbol.asyncDispose]()
    await harness.client.run(insert(fixture.table, [item(2)]))
    await harness.client.run(update(fixture.table, { id: 1 }, { seen: 10 }))
    equal((await harness.cells(fixture.table)).length, 2, 'rows')
  }),
  changeCase('CHG-920', 'a table that is not there is TABLE_UNKNOWN, and nothing is touched', async (harness) => {
    const table = await harness.createTable(ITEMS)
    await checkUntouched(harness, 'TABLE_UNKNOWN', [table.ref, { ...table.ref, name: 'absent' }])
  }),
  changeCase('CHG-921', 'a view is TABLE_NOT_CAPTURABLE, and nothing is touched', async (harness) => {
    const table = await harness.createTable(ITEMS)
    const view = await defined(harness.createView?.bind(harness), 'createView, which the facts promise')('all_items', table)
    await checkUntouched(harness, 'TABLE_NOT_CAPTURABLE', [table.ref, view])
  }, ({ facts }) => facts.views || 'there are no views'),
  changeCase('CHG-922', 'a virtual table is TABLE_NOT_CAPTURABLE, and nothing is touched', async (harness) => {
    const table = await harness.createTable(ITEMS)
    const found = await defined(harness.createVirtualTable?.bind(harness), 'createVirtualTable, which the facts promise')('found')
    await checkUntouched(harness, 'TABLE_NOT_CAPTURABLE', [table.ref, found])
  }, ({ facts }) => facts.virtualTables || 'there are no virtual tables'),
  changeCase('CHG-930', 'a commit calls every listener, and none that was taken away', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const called: string[] = []
    let wake = (): void => {}
    const woken = new Promise<void>((resolve) => { wake = resolve })
    const unsubscribe = fixture.connection.onWake(() => void called.push('first'))
    unsubscribe()
    unsubscribe()
    fixture.connection.onWake(() => wake())
    await fixture.client.run(insert(fixture.table, [item(1)]))
    await within(WAKE_LIMIT_MS, woken, 'the listener is called')
    equal(called, [], 'calls of the listener that was taken away')
    equal(brief(await fixture.reader.drain()), ['insert 1'], 'changes')
  }, ({ facts }) => facts.wakes || 'nothing tells of this client\'s commits'),
  changeCase('CHG-931', 'taking a listener away is no error, also on a closed connection', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    const unsubscribe = fixture.connection.onWake(() => {})
    await fixture.connection[Symbol.asyncDispose]()
    unsubscribe()
  }),
  changeCase('CHG-940', 'no error tells a row\'s value', async (harness) => {
    const secret = 'row-value-9f3a'
    const fixture = await captureOne(harness, ITEMS, [item(1, 1, secret)])
    await fixture.client.run(insert(fixture.table, [item(2, 2, secret)]))
    await fixture.reader.drain()
    const { connection, start } = fixture
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => connection.verify({ ...start, epoch: `${start.epoch}0` }),
      () => connection.retain({ consumer: 'reader', position: start, fence: { lease: 'reader', token: 99 } }),
      () => harness.source({ tables: [{ ...fixture.table.ref, name: 'absent' }], name: SOURCE_NAME }).connect(),
      () => connection.readChanges({ after: start, limit: AMPLE, signal: AbortSignal.abort() }),
    ]
    for (const attempt of attempts) checkSilent(await settle(attempt), secret)
    await fixture[Symbol.asyncDispose]()
    checkSilent(await settle(() => connection.head()), secret)
  }),
  changeCase('CHG-941', 'an address where nobody listens is SOURCE_UNREACHABLE, without the secret', (harness) =>
    failsQuietly('SOURCE_UNREACHABLE', defined(harness.unreachable?.(), 'unreachable, which the facts promise')),
  ({ facts }) => facts.unreachable || 'the source has no address that could be wrong'),
  changeCase('CHG-942', 'a wrong password is SOURCE_AUTH_FAILED, without the secret', (harness) =>
    failsQuietly('SOURCE_AUTH_FAILED', defined(harness.wrongPassword?.(), 'wrongPassword, which the facts promise')),
  ({ facts }) => facts.wrongPassword || 'the source knows no passwords'),
  changeCase('CHG-943', 'the position of a read that fails moves nothing: the same read works afterwards', async (harness) => {
    await using fixture = await captureOne(harness, ITEMS)
    await fixture.client.run(insert(fixture.table, [item(1)]))
    const controller = new AbortController()
    const pending = settle(() => fixture.connection.readChanges({ after: fixture.start, limit: AMPLE, signal: controller.signal }))
    controller.abort()
    await pending
    equal(brief(await fixture.reader.drain()), ['insert 1'], 'changes')
  }),
]

async function openHeld(harness: ChangeHarness): Promise<HeldFixture> {
  const fixture = await captureOne(harness, ITEMS, [item(1)])
  return { ...fixture, fence: await acquire(fixture.connection, 'reader') }
}

async function checkUntouched(harness: ChangeHarness, code: ErrorCode, tables: Parameters<ChangeHarness['source']>[0]['tables']): Promise<void> {
  const before = await harness.schemaDigest()
  await failsWith(code, () => harness.source({ tables, name: SOURCE_NAME }).connect(), 'connecting')
  equal(await harness.schemaDigest(), before, 'the database')
}

function checkOutcome(outcome: Awaited<ReturnType<typeof settle>>, code: ErrorCode): void {
  if (!('error' in outcome)) return
  const { error } = outcome
  if (!(error instanceof TidemarkError) || error.code !== code) throw new ConformanceError(`the call fails with ${code} or not at all`, { actual: error })
}

function checkSilent(outcome: Awaited<ReturnType<typeof settle>>, secret: string): void {
  // Whether it fails is for other cases to say.
  if (!('error' in outcome)) return
  check(!everythingIn(outcome.error).includes(secret), 'the error does not hold a row\'s value')
}

/** The secret must be in nothing that a log could print: message, code, cause and stack of the whole chain. */
async function failsQuietly(code: ErrorCode, { source, secret }: FailingChangeSource): Promise<void> {
  const error = await failsWith(code, async () => {
    await using connection = await source.connect()
    await connection.head()
  }, 'connecting')
  check(!everythingIn(error).includes(secret), 'the error does not hold the secret')
  check(!source.address.includes(secret), 'the address does not hold the secret')
}
