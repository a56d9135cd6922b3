import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { RequestProxy, type KeptRequest } from '@tidemark/test-servers'
import { createBank, differingBankTables } from '../fixtures/bank-tables.ts'
import { BankWatch } from '../fixtures/bank-watch.ts'
import { ChaosInstance, type WorkerPool } from '../fixtures/chaos-instance.ts'
import { chaosPlan, type ChaosEvent, type ChaosPlan } from '../fixtures/chaos-plan.ts'
import { MessageCount } from '../fixtures/message-count.ts'
import { integrityOf } from '../fixtures/change-cells.ts'
import { seededRandom } from '../seed.ts'

export interface ChaosOutcome {
  readonly plan: ChaosPlan
  readonly kills: number
  readonly faults: number
  readonly messages: number
  /** Messages with rows that were sent again at rest, when there was nothing to send. */
  readonly idleMessages: number
  /** Copies of everything that were begun anew: for no reason, unless a peer was restored from a backup that the log does not reach. */
  readonly restarts: number
  readonly looks: number
  readonly compared: number
  readonly violations: readonly string[]
  /** Tables that are not as the writer has them, at rest and after old messages have come again. */
  readonly differing: readonly string[]
  readonly notLive: readonly string[]
  readonly integrity: readonly string[]
  readonly seconds: number
}

const REPLAYS = 10
const IDLE_FLUSHES = 3

/** One seed: instances that write and propagate through a network at its worst, and are killed; then peace, and all must be as the writer has it. */
export async function propagateChaos(seed: number, pool: WorkerPool): Promise<ChaosOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-chaos-'))
  try {
    await using chaos = await Chaos.open(chaosPlan(seed), { folder, pool })
    return await chaos.run()
  } finally {
    if (process.env['KEEP'] === undefined) rmSync(folder, { recursive: true, force: true })
  }
}

interface ChaosOptions {
  readonly folder: string
  readonly pool: WorkerPool
}

class Chaos implements AsyncDisposable {
  readonly #plan: ChaosPlan
  readonly #folder: string
  readonly #startedMs = performance.now()
  readonly #resources = new AsyncDisposableStack()
  readonly #proxies = new Map<string, RequestProxy>()
  readonly #instances = new Map<string, ChaosInstance>()
  readonly #watches = new Map<string, BankWatch>()
  readonly #count = new MessageCount()
  readonly #events: ChaosEvent[]
  /** Of events, one after the other. */
  #happening: Promise<void> = Promise.resolve()
  #kills = 0
  /** Messages before the first write. */
  #begunAt = Number.POSITIVE_INFINITY

  private constructor(plan: ChaosPlan, folder: string) {
    this.#plan = plan
    this.#folder = folder
    this.#events = [...plan.events]
  }

  static async open(plan: ChaosPlan, { folder, pool }: ChaosOptions): Promise<Chaos> {
    const chaos = new Chaos(plan, folder)
    try {
      chaos.#createBanks()
      for (const [index, edge] of plan.edges.entries()) await chaos.#openProxy(edge, index)
      for (const name of plan.instances) chaos.#makeInstance(name, pool)
      await Promise.all([...chaos.#instances.values()].map((instance) => instance.open()))
      return chaos
    } catch (error) {
      await chaos[Symbol.asyncDispose]()
      throw error
    }
  }

  async run(): Promise<ChaosOutcome> {
    const instances = [...this.#instances.values()]
    const failed = Promise.race(instances.map((instance) => instance.failed))
    return Promise.race([this.#run(instances), failed])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#happening
    await this.#resources.disposeAsync()
  }

  async #run(instances: readonly ChaosInstance[]): Promise<ChaosOutcome> {
    // Without copies, what is written before the first contact is nobody's.
    if (!this.#plan.settings.snapshot) await this.#settle()
    this.#begunAt = this.#count.all
    for (const instance of instances) instance.write()
    await Promise.all(instances.map(({ written }) => written))
    this.#happen(this.#events.splice(0))
    await this.#happening
    const proxies = [...this.#proxies.values()]
    await Promise.all(proxies.map((proxy) => proxy.calm()))
    // By it a sender that had nothing more to say finds out that a peer has been restored.
    for (const instance of instances) await instance.finish()
    await this.#settle()
    const atRest = this.#differing()
    const random = seededRandom(this.#plan.seed)
    for (const proxy of proxies) await proxy.replay(REPLAYS, random)
    await this.#settle()
    return this.#outcome([...atRest, ...this.#differing()], await this.#idle(instances))
  }

  /** Twice around, so that what one passes on to another is there too. */
  async #settle(): Promise<void> {
    for (let round = 0; round < 2; round += 1) for (const instance of this.#instances.values()) await instance.settle()
    this.#look()
  }

  async #idle(instances: readonly ChaosInstance[]): Promise<number> {
    const before = this.#count.withRows
    for (const instance of instances) await instance.flush(IDLE_FLUSHES)
    return this.#count.withRows - before
  }

  #outcome(differing: readonly string[], idleMessages: number): ChaosOutcome {
    const faults = [...this.#proxies.values()].flatMap((proxy) => Object.values(proxy.counts.faults))
    const watches = [...this.#watches.values()]
    return {
      plan: this.#plan, kills: this.#kills, idleMessages, differing,
      faults: faults.reduce((sum, count) => sum + count, 0),
      messages: this.#count.all, restarts: this.#count.restarts,
      looks: watches.reduce((sum, { looks }) => sum + looks, 0),
      compared: watches.reduce((sum, { compared }) => sum + compared, 0),
      violations: watches.flatMap(({ violations }) => violations),
      notLive: watches.flatMap((watch) => watch.states()),
      integrity: this.#plan.instances.map((name) => integrityOf(this.#path(name))),
      seconds: (performance.now() - this.#startedMs) / 1_000,
    }
  }

  #differing(): readonly string[] {
    const [first, ...others] = this.#plan.instances
    return others.flatMap((name) => differingBankTables(this.#path(first ?? ''), this.#path(name)).map((table) => `${name}.${table}`))
  }

  #createBanks(): void {
    const { instances, writers, peersHave } = this.#plan
    const owners = Object.values(writers)
    for (const name of instances) {
      const isPeer = writers[name] === undefined
      createBank({ path: this.#path(name), owners: isPeer && peersHave === 'nothing' ? [] : owners, isStale: isPeer && peersHave === 'stale' })
      this.#watches.set(name, this.#resources.use(new BankWatch({ name, path: this.#path(name), owners, isRight: !isPeer || peersHave === 'same' })))
    }
  }

  async #openProxy([from, to]: readonly [string, string], index: number): Promise<void> {
    const { faults } = this.#plan
    const proxy = await RequestProxy.start({ plan: { ...faults, seed: faults.seed * 8 + index }, onRequest: (request) => this.#came(request), onAnswer: () => this.#look() })
    this.#proxies.set(`${from}>${to}`, this.#resources.use(proxy))
  }

  #makeInstance(name: string, pool: WorkerPool): void {
    const { seed, settings, edges, writers } = this.#plan
    const peers = edges.filter(([from]) => from === name).map(([, to]) => ({ name: to, url: this.#proxies.get(`${name}>${to}`)?.url ?? '' }))
    const input = { name, path: this.#path(name), seed, owner: writers[name], writesAtOnce: false, peers, settings }
    const onMove = (url: string | undefined): void => {
      for (const [edge, proxy] of this.#proxies) if (edge.endsWith(`>${name}`)) proxy.target = url
    }
    this.#instances.set(name, this.#resources.use(new ChaosInstance({ pool, input, onMove })))
  }

  #came(request: KeptRequest): void {
    this.#count.add(request)
    const due = this.#events.filter(({ at }) => at <= this.#count.all - this.#begunAt)
    this.#happen(this.#events.splice(0, due.length))
    this.#look()
  }

  #happen(events: readonly ChaosEvent[]): void {
    for (const event of events) {
      // What follows a kill waits until the new process is there; a backup is of now.
      if (event.kind === 'back-up') this.#watches.get(event.instance)?.backUp(this.#backup(event.instance))
      else this.#happening = this.#happening.then(() => this.#doEvent(event))
    }
  }

  async #doEvent({ instance: name, kind, delayMs, requests }: ChaosEvent): Promise<void> {
    const [instance, watch] = [this.#instances.get(name), this.#watches.get(name)]
    if (kind === 'busy') return instance?.busy(requests)
    await setTimeout(delayMs)
    this.#kills += 1
    await instance?.kill(kind === 'restore' ? () => watch?.restore(this.#backup(name)) : undefined)
  }

  #look(): void {
    for (const watch of this.#watches.values()) {
      try {
        watch.look()
      } catch (error) {
        // Thrown at whoever sends a request it would only make that hang.
        watch.violations.push(String(error))
      }
    }
  }

  #backup(name: string): string {
    return `${this.#path(name)}.backup`
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.db`)
  }
}
