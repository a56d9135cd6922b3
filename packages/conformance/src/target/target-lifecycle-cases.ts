import { TidemarkError, type AbortOptions, type TargetConnection } from '@tidemark/core/adapter'
import { check } from '../assert/check.ts'
import { defined } from '../assert/defined.ts'
import { equal } from '../assert/equal.ts'
import { failsWith, settle } from '../assert/fails-with.ts'
import { within } from '../assert/within.ts'
import { fill } from './target-fixture.ts'
import { needsReconnect, targetCase, type TargetCase } from './target-case.ts'
import { batchOf, checkpointOf, columnOf, commitOf, ITEMS, NOW_MS, openTable, PREFIX, type TargetFixture } from './target-fixture.ts'

const LIMIT_MS = 1_000

type Call = (fixture: TargetFixture, options: AbortOptions) => Promise<unknown>

const extra = columnOf('extra', 'text', { ordinal: 4 })
const key = { columns: ['id'], table: ITEMS }

/** Methods that take a signal. */
const ABORTABLE: Readonly<Record<string, Call>> = {
  inspectTable: ({ connection }, options) => connection.inspectTable('items', options),
  createTable: (fixture, options) => fixture.connection.createTable({ ...ITEMS, name: 'more' }, commitOf(fixture, 'new'), options),
  apply: (fixture, options) => fixture.connection.apply(batchOf(ITEMS, { upserts: [[2, 'b', 20]] }), commitOf(fixture, 'new'), options),
  save: (fixture, options) => fixture.connection.save(commitOf(fixture, 'new'), options),
  openLoad: async ({ connection }, options) => (await connection.openLoad(ITEMS, { resume: false, ...options }))[Symbol.asyncDispose](),
  publishLoad: async (fixture, options) => {
    await (await fixture.connection.openLoad(ITEMS, { resume: false }))[Symbol.asyncDispose]()
    await fixture.connection.publishLoad(ITEMS, commitOf(fixture, 'new'), options)
  },
  addColumns: (fixture, options) =>
    fixture.connection.addColumns({ ...ITEMS, columns: [...ITEMS.columns, extra] }, [extra], commitOf(fixture, 'new'), options),
  readRows: ({ connection }, options) => connection.readRows({ ...key, after: undefined, limit: 1, ...options }),
  findRows: ({ connection }, options) => connection.findRows({ ...key, keys: [[1]], ...options }),
}

const LEASE = { lease: 'sync', holder: 'first', nowMs: NOW_MS, ttlMs: 1 }

/** Every other method. */
const PLAIN: Readonly<Record<string, (connection: TargetConnection, fixture: TargetFixture) => Promise<unknown>>> = {
  discardLoad: (connection) => connection.discardLoad('items'),
  dropTable: (connection) => connection.dropTable('items'),
  'ledger.listReplications': ({ ledger }) => ledger.listReplications(),
  'ledger.readReplication': ({ ledger }) => ledger.readReplication('copy'),
  'ledger.readRuns': ({ ledger }) => ledger.readRuns({ limit: 1 }),
  'ledger.acquireLease': ({ ledger }) => ledger.acquireLease(LEASE),
  'ledger.renewLease': ({ ledger }, { fence }) => ledger.renewLease(fence, LEASE),
}

export const targetLifecycleCases: readonly TargetCase[] = [
  ...Object.entries({ ...ABORTABLE, ...Object.fromEntries(Object.entries(PLAIN).map(([name, call]) => [name, (fixture: TargetFixture) => call(fixture.connection, fixture)])) })
    .map(([name, call]) => targetCase(`TGT-80.${name}`, `${name} on a closed connection is CLOSED`, async (harness) => {
      await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
      await fixture.connection[Symbol.asyncDispose]()
      await failsWith('CLOSED', () => call(fixture, {}), name)
    })),
  ...Object.entries(ABORTABLE).flatMap(([name, call]) => [
    targetCase(`TGT-81.${name}`, `${name} with a signal that has fired is ABORTED and writes nothing`, async (harness) => {
      await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
      await failsWith('ABORTED', () => call(fixture, { signal: AbortSignal.abort() }), name)
      equal([await checkpointOf(fixture), (await harness.rows('items', ['id'])).length], ['filled', 1], 'checkpoint and rows')
      await call(fixture, {})
    }),
    targetCase(`TGT-82.${name}`, `${name} aborted in flight settles: done in full or ABORTED without a trace`, async (harness) => {
      await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
      const controller = new AbortController()
      const pending = settle(() => call(fixture, { signal: controller.signal }))
      controller.abort()
      const outcome = await within(LIMIT_MS, pending, name)
      if ('error' in outcome) {
        check(outcome.error instanceof TidemarkError && outcome.error.code === 'ABORTED', 'the call fails with ABORTED')
        equal(await checkpointOf(fixture), 'filled', 'checkpoint')
      }
      await fixture.connection.save(commitOf(fixture, 'after'))
    }),
  ]),
  targetCase('TGT-83', 'a load on a closed connection is CLOSED', async (harness) => {
    await using fixture = await openTable(harness, ITEMS, [[1, 'a', 10]])
    const load = await fixture.connection.openLoad(ITEMS, { resume: false })
    fill(load, ITEMS, [[2, 'b', 20]])
    await fixture.connection[Symbol.asyncDispose]()
    await failsWith('CLOSED', () => load.commit(commitOf(fixture, 'late')), 'committing')
    await load[Symbol.asyncDispose]()
  }),
  targetCase('TGT-84', 'closing twice is no error', async (harness) => {
    const connection = await harness.target().connect({ tablePrefix: PREFIX })
    await connection[Symbol.asyncDispose]()
    await connection[Symbol.asyncDispose]()
  }),
  targetCase('TGT-85', 'connecting with a signal that has fired is ABORTED', async (harness) => {
    await failsWith('ABORTED', () => harness.target().connect({ tablePrefix: PREFIX, signal: AbortSignal.abort() }), 'connecting')
  }),
  targetCase('TGT-86', 'a place that can\'t be opened is TARGET_UNREACHABLE', async (harness) => {
    const target = defined(harness.unreachable?.(), 'unreachable, which the facts promise')
    await failsWith('TARGET_UNREACHABLE', () => target.connect({ tablePrefix: PREFIX }), 'connecting')
  }, ({ facts }) => facts.unreachable || 'the target has no place that could be wrong'),
  targetCase('TGT-87', 'a second connection sees what the first one committed', async (harness) => {
    await using fixture = await openTable(harness, ITEMS)
    await using second = await harness.target().connect({ tablePrefix: PREFIX })
    await fixture.connection.apply(batchOf(ITEMS, { upserts: [[1, 'a', 10]] }), commitOf(fixture, 'first'))
    equal((await second.readRows({ ...key, after: undefined, limit: 9 })).length, 1, 'rows')
    equal((await second.ledger.readReplication('copy'))?.state, 'first', 'checkpoint')
  }, needsReconnect),
]
