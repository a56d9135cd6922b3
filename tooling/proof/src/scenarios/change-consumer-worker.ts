import { setTimeout } from 'node:timers/promises'
import { ChangeStream, type ChangeBatch } from '@tidemark/core'
import { nodeSqliteStateStore, sqliteChanges } from '@tidemark/node'
import { ChangeCopy } from '../fixtures/change-copy.ts'
import { CHANGE_TABLE_NAMES } from '../fixtures/change-workload.ts'
import { report, workerInput } from '../fixtures/worker.ts'

export interface ChangeConsumerInput {
  readonly path: string
  readonly copyPath: string
  readonly statePath: string
  readonly subscriber: string
  /** Which process this is, for the journal. */
  readonly run: number
  readonly batchEvents: number
  /** Ends once a row of this key has been inserted into `codes`. */
  readonly until: string
}

/**
 * Copies what it is given. Reports `started`, then `ready` once it has its place in the log, then `streaming` once the snapshot
 * is complete. Small batches and frequent upkeep: a kill should find it anywhere.
 */
async function main(input: ChangeConsumerInput): Promise<void> {
  await report('started')
  using copy = new ChangeCopy(input.copyPath, input.run)
  await using checkpoints = nodeSqliteStateStore({ path: input.statePath, busyTimeoutMs: 30_000 })
  await using stream = new ChangeStream({
    source: sqliteChanges({ path: input.path }, { tables: CHANGE_TABLE_NAMES, name: 'app', integers: 'bigint', pollIntervalMs: 5, busyTimeoutMs: 30_000 }),
    snapshot: 'initial', instance: 'consumer', heartbeatIntervalMs: 20, checkpoints, batch: { events: input.batchEvents },
  })
  let finish = (): void => undefined
  const finished = new Promise<void>((resolve) => { finish = resolve })
  const streaming = whenStreaming(stream)
  const subscription = await stream.subscribe({ id: input.subscriber, durable: true }, async (batch) => {
    // As handlers do that call somebody: so a kill falls on either side of the commit.
    await setTimeout(1)
    copy.apply(batch)
    await setTimeout(1)
    if (holdsEnd(batch, input.until)) finish()
  })
  await report('ready')
  // What ends the subscriber ends the process, loudly.
  await Promise.race([streaming, subscription.done])
  await report('streaming')
  await Promise.race([finished, subscription.done])
  await subscription.unsubscribe()
}

/** A snapshot may be complete long before the next change is delivered, which is when the subscriber's state says so. */
function whenStreaming(stream: ChangeStream): Promise<void> {
  return new Promise((resolve) => {
    stream.on('snapshot', ({ phase }) => { if (phase === 'completed') resolve() })
    stream.on('status', (status) => { if (status.kind === 'subscriber' && status.state === 'streaming') resolve() })
  })
}

function holdsEnd({ events }: ChangeBatch, code: string): boolean {
  return events.some(({ table, op, after }) => table === 'codes' && op === 'insert' && after['code'] === code)
}

await main(workerInput<ChangeConsumerInput>())
process.disconnect()
