import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { createReceiver, httpPeer, Propagator } from '@tidemark/core'
import { nodeSqlitePropagationTarget, sqliteChanges } from '@tidemark/node'
import { serveReceiver } from '../../../../packages/node/src/test/serve-receiver.ts'
import { BANK_TABLE_NAMES } from '../fixtures/bank-tables.ts'
import { BankWriter } from '../fixtures/bank-writer.ts'
import type { ChaosSettings } from '../fixtures/chaos-plan.ts'
import { report } from '../fixtures/worker.ts'
import { seededRandom } from '../seed.ts'

export interface InstanceInput {
  readonly name: string
  readonly path: string
  readonly seed: number
  /** Of the rows that its application writes; `undefined`: it writes none. */
  readonly owner: number | undefined
  readonly writesAtOnce: boolean
  readonly peers: readonly { readonly name: string; readonly url: string }[]
  readonly settings: ChaosSettings
}

export type InstanceCommand =
  | { readonly kind: 'open'; readonly input: InstanceInput }
  | { readonly kind: 'write' }
  /** One more transaction. */
  | { readonly kind: 'finish' }
  | { readonly kind: 'settle' }
  | { readonly kind: 'flush'; readonly times: number }
  | { readonly kind: 'busy'; readonly requests: number }
  | { readonly kind: 'close' }

export interface InstanceReply {
  readonly kind: 'ready' | 'opened' | 'written' | 'finished' | 'settled' | 'flushed' | 'closed' | 'failed'
  /** Of `opened`: where it receives. Of `failed`: why. */
  readonly text?: string
}

/** A receiver of another run may have the port that one of this run had. */
function secretOf(receiver: string, seed: number): string {
  return `the secret of ${receiver} in ${seed}`
}

/** One instance: an application that writes, the propagator beside it, and a receiver. */
class Instance {
  readonly #input: InstanceInput
  readonly #resources = new AsyncDisposableStack()
  #propagator: Propagator | undefined
  #writing: Promise<void> | undefined
  #isClosed = false
  #busyFor = 0

  constructor(input: InstanceInput) {
    this.#input = input
  }

  async open(): Promise<string> {
    const { name, path, seed, settings: { maxMessageBytes, replacesRows, refusesLocalWrites, auth } } = this.#input
    const secret = secretOf(name, seed)
    const authorize = auth === 'token' ? { token: secret } : { secret }
    const target = nodeSqlitePropagationTarget({ path })
    const receive = this.#resources.use(createReceiver({ target, authorize, origin: name, maxMessageBytes: maxMessageBytes.taken, replacesRows, refusesLocalWrites }))
    const served = this.#resources.use(await serveReceiver(async (request) => this.#isBusy() ? new Response('busy', { status: 503 }) : receive(request)))
    if (this.#input.peers.length > 0) {
      this.#propagator = this.#resources.use(this.#makePropagator())
      await this.#propagator.start()
    }
    return served.url
  }

  write(): void {
    this.#writing ??= this.#write()
  }

  async finish(): Promise<void> {
    await this.#writing
    this.#writeUpTo(this.#input.settings.transactions + 1)
  }

  async settle(): Promise<void> {
    for (;;) {
      const flushed = await this.#propagator?.flush()
      if (flushed === undefined || flushed.behind.length === 0) return
      await setTimeout(Math.max(1, (flushed.nextAtMs ?? 0) - Date.now()))
    }
  }

  async flush(times: number): Promise<void> {
    for (let rest = times; rest > 0; rest -= 1) await this.#propagator?.flush()
  }

  busy(requests: number): void {
    this.#busyFor = requests
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#writing
    await this.#resources.disposeAsync()
  }

  #makePropagator(): Propagator {
    const { name, path, seed, peers, settings: { batch, maxMessageBytes, snapshot, timeoutMs, breaker, auth } } = this.#input
    return new Propagator({
      source: sqliteChanges({ path }, { tables: BANK_TABLE_NAMES, pollIntervalMs: 20 }),
      origin: name, batch, snapshot, timeoutMs, breaker, retry: { baseMs: 5, maxMs: 40 }, leaseTtlMs: 200,
      peers: peers.map((peer) => {
        const secret = secretOf(peer.name, seed)
        return httpPeer({ ...peer, ...(auth === 'token' ? { token: secret } : { secret }), maxMessageBytes: maxMessageBytes.sent })
      }),
    })
  }

  async #write(): Promise<void> {
    const { seed, owner, settings: { pauseMs, transactions } } = this.#input
    if (owner === undefined) return
    const random = seededRandom(seed)
    while (!this.#isClosed && this.#writeUpTo(transactions)) await setTimeout(random() * pauseMs)
    if (!this.#isClosed) await reply({ kind: 'written' })
  }

  /** One transaction; `false` where there are so many already. */
  #writeUpTo(transactions: number): boolean {
    const { path, seed, owner, settings: { recursiveTriggers, nudges } } = this.#input
    if (owner === undefined) return false
    using database = new DatabaseSync(path, { timeout: 10_000 })
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA recursive_triggers = ${recursiveTriggers ? 1 : 0}`)
    const writer = new BankWriter(database, { seed, owner })
    if (writer.number >= transactions) return false
    writer.write()
    if (nudges) void this.#propagator?.afterQuery()
    return true
  }

  #isBusy(): boolean {
    this.#busyFor -= 1
    return this.#busyFor >= 0
  }
}

let instance: Instance | undefined

async function obey(command: InstanceCommand): Promise<InstanceReply | undefined> {
  switch (command.kind) {
    case 'open': {
      instance = new Instance(command.input)
      const text = await instance.open()
      if (command.input.writesAtOnce) instance.write()
      return { kind: 'opened', text }
    }
    case 'write':
      instance?.write()
      return undefined
    case 'finish':
      await instance?.finish()
      return { kind: 'finished' }
    case 'settle':
      await instance?.settle()
      return { kind: 'settled' }
    case 'flush':
      await instance?.flush(command.times)
      return { kind: 'flushed' }
    case 'busy':
      instance?.busy(command.requests)
      return undefined
    case 'close':
      await instance?.close()
      return { kind: 'closed' }
    default:
      return command satisfies never
  }
}

async function reply(message: InstanceReply): Promise<void> {
  await report(message)
}

const failed = (error: unknown): void => void reply({ kind: 'failed', text: error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error) })

process.on('unhandledRejection', failed)
// Nobody is there any more who would end it.
process.on('disconnect', () => process.exit())
process.on('message', (message) => {
  obey(message as InstanceCommand).then((answer) => answer === undefined ? undefined : reply(answer)).catch(failed) // sent by ChaosInstance
})
await reply({ kind: 'ready' })
