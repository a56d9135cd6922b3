import { ChangeStream, type ChangeEvent, type Subscription } from '@tidemark/core'
import { durableObjectChanges } from '../durable-object-changes.ts'
import { durableObjectStateStore } from '../durable-object-state-store.ts'
import { objectHost, objectScenarios, type ObjectStorage } from './object-scenarios.ts'
import { toJson } from './scenario-host.ts'
import { sharedScenarios } from './shared-scenarios.ts'

/** Keeps a table, and a stream of its changes with one durable subscriber that writes down what it got. */
export class StreamObject {
  readonly #storage: ObjectStorage
  readonly #context: { abort(reason?: string): void }

  constructor(context: { readonly storage: ObjectStorage; abort(reason?: string): void }) {
    this.#storage = context.storage
    this.#context = context
  }

  async fetch(request: Request): Promise<Response> {
    const [, , action = '', argument = ''] = new URL(request.url).pathname.split('/')
    const scenario = objectScenarios[action] ?? sharedScenarios[action]
    if (scenario !== undefined) return new Response(toJson(await scenario(objectHost(this.#storage))))
    switch (action) {
      case 'write': return this.#write(Number(argument))
      case 'take': return this.#take(Number(argument))
      case 'live': return this.#live(Number(argument))
      case 'abort': return this.#context.abort('evicted by the test') as never // throws at once
      default: return new Response('unknown', { status: 404 })
    }
  }

  #write(id: number): Response {
    this.#storage.sql.exec('CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT)')
    this.#storage.sql.exec('INSERT INTO users VALUES (?, ?)', id, `user ${id}`)
    return new Response('written')
  }

  /** Subscribes until so many changes have come, and says which. */
  async #take(count: number): Promise<Response> {
    await using stream = this.#stream()
    const taken: ChangeEvent[] = []
    let subscription: Subscription | undefined
    const enough = new Promise<void>((resolve, reject) => {
      stream.subscribe({ id: 'indexer' }, ({ events }) => {
        taken.push(...events)
        if (taken.length >= count) resolve()
      }).then((made) => {
        subscription = made
        made.done.catch(reject)
      }, reject)
    })
    await enough
    await subscription?.unsubscribe()
    return new Response(toJson(taken.map(({ op, after }) => [op, after])))
  }

  /** Writes while a loop listens. */
  async #live(count: number): Promise<Response> {
    const source = durableObjectChanges(this.#storage, { tables: ['users'], pollIntervalMs: 600_000 })
    await using stream = new ChangeStream({ source })
    await using batches = stream.live({ tables: ['users'] })
    await batches.ready()
    const names: unknown[] = []
    for (let id = 1; id <= count; id += 1) {
      this.#write(1_000 + id)
      // Nothing else would wake the reader within the test's time.
      source.notify()
      const { value } = await batches.next()
      names.push(...value?.events.map((event: ChangeEvent) => event.after?.['name']) ?? [])
    }
    return new Response(toJson(names))
  }

  #stream(): ChangeStream {
    const source = durableObjectChanges(this.#storage, { tables: ['users'], pollIntervalMs: 10 })
    // With a name of its own it takes its lease back at once, after whatever ended the object.
    return new ChangeStream({ source, snapshot: 'initial', checkpoints: durableObjectStateStore(this.#storage), instance: 'object' })
  }
}
