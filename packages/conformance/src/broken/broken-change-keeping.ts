import { TidemarkError, type ChangeConnection, type ChangeSource, type Fence, type LogPosition } from '@tidemark/core/adapter'
import type { BrokenChanges } from './broken-changes.ts'
import { overrideChanges } from './override-changes.ts'

/** Mistakes in what is kept for consumers, in errors and in how a connection lives and ends. */
export const BROKEN_CHANGE_KEEPING: readonly BrokenChanges[] = [
  { name: 'takes row hooks for the truth: what they saw is told, whatever became of it', subject: { flaw: 'hooks' }, fails: ['CHG-303', 'CHG-304', 'CHG-307', 'CHG-434', 'CHG-952.*', 'CHG-953.*'] },
  { name: 'tells a statement before it is committed', subject: { flaw: 'uncommitted' }, fails: [
    'CHG-301', 'CHG-302', 'CHG-303', 'CHG-304', 'CHG-305', 'CHG-310', 'CHG-311', 'CHG-434', 'CHG-951.*', 'CHG-952.*',
    'CHG-953.*', 'CHG-954.*',
  ] },
  { name: 'counts from the first number again when the log is empty', subject: { flaw: 'numbers' }, fails: ['CHG-606', 'CHG-708'] },
  { name: 'knows a place by its number alone', subject: { flaw: 'stamps' }, fails: ['CHG-609'] },
  { name: 'retains the head whatever it is told', subject: { wrap: changing((connection) => ({ retain: async (request) => connection.retain({ ...request, position: await connection.head() }) })) }, fails: ['CHG-607', 'CHG-701', 'CHG-702', 'CHG-703', 'CHG-704', 'CHG-706', 'CHG-710'] },
  { name: 'remembers what is retained in the connection', subject: { wrap: changing(ownRetained) }, fails: ['CHG-702', 'CHG-710'] },
  { name: 'retains under any fence', subject: { wrap: changing(anyFence) }, fails: ['CHG-706'] },
  { name: 'retains without a lease', subject: { wrap: changing(leaseless) }, fails: ['CHG-706', 'CHG-707'] },
  { name: 'keeps one lease for all names', subject: { wrap: changing((connection) => withLeases(connection, {
    acquireLease: async (request) => withName(await connection.leases.acquireLease({ ...request, lease: 'one' }), request.lease),
    renewLease: (fence, request) => connection.leases.renewLease({ ...fence, lease: 'one' }, { ...request, lease: 'one' }),
    releaseLease: (fence) => connection.leases.releaseLease({ ...fence, lease: 'one' }),
  }, { retain: (request) => connection.retain({ ...request, fence: { ...request.fence, lease: 'one' } }) })) }, fails: ['CHG-723'] },
  { name: 'releases nobody', subject: { wrap: changing(() => ({ release: async () => {} })) }, fails: ['CHG-704', 'CHG-705', 'CHG-902.release', 'CHG-903.release'] },
  { name: 'never purges', subject: { wrap: changing(() => ({ purge: async () => false })) }, fails: ['CHG-607', 'CHG-704', 'CHG-902.purge', 'CHG-903.purge'] },
  { name: 'gives a lease to whoever asks', subject: { wrap: changing((connection) => withLeases(connection, {
    acquireLease: async (request) => await connection.leases.acquireLease(request) ?? connection.leases.acquireLease({ ...request, nowMs: request.nowMs + 1e9 }),
  })) }, fails: ['CHG-720', 'CHG-721', 'CHG-722'] },
  { name: 'renews a lease that was taken over', subject: { wrap: changing((connection) => withLeases(connection, { renewLease: async () => true })) }, fails: ['CHG-721', 'CHG-902.leases.renewLease'] },
  { name: 'gives every lease the same token', subject: { wrap: changing((connection) => withLeases(connection, {
    acquireLease: async (request) => {
      const fence = await connection.leases.acquireLease(request)
      return fence === undefined ? undefined : { ...fence, token: 1 }
    },
  })) }, fails: ['CHG-701', 'CHG-706', 'CHG-708', 'CHG-720', 'CHG-722'] },
  { name: 'knows no lag', subject: { wrap: changing(() => ({ lag: async () => ({ events: -1, bytes: undefined, ms: undefined }) })) }, fails: ['CHG-709', 'CHG-902.lag', 'CHG-903.lag'] },
  { name: 'wakes nobody', subject: { wrap: changing(() => ({ onWake: () => () => {} })) }, fails: ['CHG-930'] },
  { name: 'wakes listeners that were taken away', subject: { wrap: changing((connection) => ({ onWake: (listener) => {
    connection.onWake(listener)
    return () => {}
  } })) }, fails: ['CHG-930'] },
  { name: 'ignores signals', subject: { wrap: changing((connection) => ({
    tables: () => connection.tables(),
    head: () => connection.head(),
    readChanges: (request) => connection.readChanges({ ...request, signal: undefined }),
    purge: () => connection.purge(),
  })) }, fails: ['CHG-903.head', 'CHG-903.purge', 'CHG-903.readChanges', 'CHG-903.tables'] },
  { name: 'passes on the signal\'s own reason', subject: { wrap: changing((connection) => ({
    tables: (options) => connection.tables(options).catch(() => Promise.reject(options?.signal?.reason)),
    readChanges: (request) => connection.readChanges(request).catch(() => Promise.reject(request.signal?.reason)),
  })) }, fails: [
    'CHG-605', 'CHG-607', 'CHG-608', 'CHG-609', 'CHG-611', 'CHG-902.readChanges', 'CHG-902.tables', 'CHG-903.readChanges', 'CHG-903.tables', 'CHG-904.readChanges',
    'CHG-904.tables', 'CHG-911',
  ] },
  { name: 'connects although it was aborted', subject: { wrap: (source) => ({ ...source, connect: () => source.connect() }) }, fails: ['CHG-910'] },
  { name: 'leaves a consumer behind with each connection', subject: { wrap: (source) => ({ ...source, connect: async (options) => leaveBehind(await source.connect(options)) }) }, fails: ['CHG-607', 'CHG-704', 'CHG-913'] },
  { name: 'leaves a consumer behind, though it keeps nothing', subject: {
    capabilities: { resumes: false }, wrap: (source) => ({ ...source, connect: async (options) => leaveBehind(await source.connect(options)) }),
  }, fails: ['CHG-607', 'CHG-704', 'CHG-912'] },
  { name: 'goes on after it was closed', subject: { wrap: changing(() => ({ [Symbol.asyncDispose]: async () => {} })) }, fails: ['CHG-902.*'] },
  { name: 'fails when it is closed twice', subject: { wrap: changing(closesOnce) }, fails: ['CHG-901.*', 'CHG-902.*', 'CHG-911', 'CHG-931'] },
  { name: 'captures what it can and says nothing of the rest', subject: { wrap: (source) => ({ ...source, connect: (options) => connectQuietly(source, options) }) }, fails: ['CHG-920', 'CHG-921', 'CHG-922'] },
  { name: 'captures a table without key, whatever it says', subject: {
    capabilities: { keylessTables: false }, wrap: (source) => ({ ...source, connect: (options) => connectQuietly(source, options) }),
  }, fails: ['CHG-421', 'CHG-920', 'CHG-921', 'CHG-922'] },
  { name: 'tells the row that it stumbled on', subject: { wrap: (source) => overrideChanges(source, (connection) => ({
    verify: (position, options) => connection.verify(position, options).catch(telling('row-value-9f3a')),
  })) }, fails: ['CHG-940'] },
  { name: 'puts the connection string into its error', subject: { wrap: (source) => ({ ...source, connect: (options) => source.connect(options).catch(telling('user:correct horse@host')) }) }, fails: ['CHG-941', 'CHG-942'] },
  { name: 'reads chunks, though it says that it does not', subject: {
    capabilities: { snapshots: false }, wrap: (source) => overrideChanges(source, (connection) => ({ readChunk: () => Promise.reject(new TypeError(String(connection.leases)))})),
  }, fails: ['CHG-101', 'CHG-440.*', 'CHG-441', 'CHG-800'] },
  { name: 'says that it can do what it can not', subject: { wrap: (source) => overrideChanges({ ...source, capabilities: { ...source.capabilities, snapshots: false } }, () => ({})) }, fails: ['CHG-101'] },
]

function changing(changes: (connection: ChangeConnection) => Partial<ChangeConnection>): (source: ChangeSource) => ChangeSource {
  return (source) => overrideChanges(source, changes)
}

function withName(fence: Fence | undefined, lease: string): Fence | undefined {
  return fence === undefined ? undefined : { ...fence, lease }
}

function leaseless(connection: ChangeConnection): Partial<ChangeConnection> {
  return {
    retain: async (request) => {
      const lease = `inside ${request.consumer}`
      const fence = await connection.leases.acquireLease({ lease, holder: lease, nowMs: 0, ttlMs: 0 })
      await connection.retain({ ...request, fence: fence ?? request.fence })
    },
  }
}

function withLeases({ leases }: ChangeConnection, changes: Partial<ChangeConnection['leases']>, others: Partial<ChangeConnection> = {}): Partial<ChangeConnection> {
  return {
    ...others,
    leases: {
      acquireLease: (request) => leases.acquireLease(request),
      renewLease: (fence, request) => leases.renewLease(fence, request),
      releaseLease: (fence) => leases.releaseLease(fence),
      ...changes,
    },
  }
}

function ownRetained(connection: ChangeConnection): Partial<ChangeConnection> {
  const positions = new Map<string, LogPosition>()
  return {
    retain: async (request) => {
      await connection.retain(request)
      positions.set(request.consumer, request.position)
    },
    retained: async (consumer, options) => {
      await connection.retained(consumer, options)
      return positions.get(consumer)
    },
    release: async (consumer, options) => {
      positions.delete(consumer)
      await connection.release(consumer, options)
    },
  }
}

/** Every position goes out under the newest fence of this connection, whatever the caller holds. */
function anyFence(connection: ChangeConnection): Partial<ChangeConnection> {
  let newest: Fence | undefined
  return {
    ...withLeases(connection, {
      acquireLease: async (request) => {
        const fence = await connection.leases.acquireLease(request)
        newest = fence ?? newest
        return fence
      },
    }),
    retain: (request) => connection.retain({ ...request, fence: newest ?? request.fence }),
  }
}

let left = 0

async function leaveBehind(connection: ChangeConnection): Promise<ChangeConnection> {
  left += 1
  const consumer = `left ${left}`
  const fence = await connection.leases.acquireLease({ lease: consumer, holder: consumer, nowMs: 0, ttlMs: 1 })
  if (fence !== undefined) await connection.retain({ consumer, position: await connection.head(), fence })
  return connection
}

function closesOnce(connection: ChangeConnection): Partial<ChangeConnection> {
  let closed = false
  return {
    [Symbol.asyncDispose]: async () => {
      if (closed) throw new TypeError('It is closed already.')
      closed = true
      await connection[Symbol.asyncDispose]()
    },
  }
}

async function connectQuietly(source: ChangeSource, options: Parameters<ChangeSource['connect']>[0]): Promise<ChangeConnection> {
  try {
    return await source.connect(options)
  } catch (error) {
    if (!(error instanceof TidemarkError) || !['TABLE_UNKNOWN', 'TABLE_NOT_CAPTURABLE'].includes(error.code)) throw error
    return overrideChangesOf(source)
  }
}

/** A connection that is good for nothing, and does not say so. */
function overrideChangesOf(source: ChangeSource): ChangeConnection {
  const fail = async (): Promise<never> => {
    throw new TidemarkError('INTERNAL', `There is nothing to read from ${source.address}.`)
  }
  return {
    leases: { acquireLease: fail, renewLease: fail, releaseLease: fail },
    tables: fail, head: fail, verify: fail, readChanges: fail, retain: fail, release: fail, retained: fail, purge: fail, lag: fail,
    onWake: () => () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}

function telling(secret: string): (error: unknown) => never {
  return (error) => {
    throw new TidemarkError(error instanceof TidemarkError ? error.code : 'INTERNAL', 'failed', { cause: new Error(secret) })
  }
}
