import { DurableObjectAlarms, type AlarmStorage } from '../durable-object-alarms.ts'

/** Jobs of several kinds on one alarm. What they do is written down. */
export class AlarmObject {
  readonly #storage: AlarmStorage
  readonly #alarms: DurableObjectAlarms
  readonly #log: string[] = []
  #waiting: (() => void) | undefined
  #ran: (() => void) | undefined

  constructor(context: { readonly storage: AlarmStorage }) {
    this.#storage = context.storage
    this.#alarms = new DurableObjectAlarms(context.storage, {
      // Two that come again, three times each; one that always fails; one that another asks for while it runs.
      first: () => this.#repeat('first'),
      second: () => this.#repeat('second'),
      failing: () => this.#note('failing').then(() => Promise.reject(new Error('no'))),
      asking: async () => {
        await this.#note('asking')
        if (this.#log.filter((name) => name === 'asking').length === 1) await this.#alarms.wakeAt('asking', Date.now())
        return undefined
      },
      fraction: () => Promise.resolve(this.#waiting?.()).then(() => undefined),
      // Asks for the very time that it would be tried again at, as a cron of every minute does on the minute.
      retried: async () => {
        await this.#alarms.wakeAt('retried', await this.#alarms.at('retried') ?? 0)
        return undefined
      },
    }, { retryMs: 3_600_000, onError: (name) => this.#log.push(`${name} failed`) })
  }

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.endsWith('/unknown')) return new Response(await this.#alarms.wakeAt('nobody', 0).then(() => 'taken', (error: { readonly code: string }) => error.code))
    if (pathname.endsWith('/fractions')) return this.#fractions()
    if (pathname.endsWith('/retried')) return this.#retried()
    // One of an earlier release: it must neither be lost nor have the object woken for ever.
    await this.#storage.put('tidemark:alarms', { dropped: 1 })
    const finished = new Promise<void>((resolve) => { this.#waiting = resolve })
    for (const name of ['first', 'second', 'failing', 'asking']) await this.#alarms.wakeAt(name, Date.now() + 20)
    await finished
    return Response.json({ log: this.#log, left: Object.keys(Object(await this.#storage.get('tidemark:alarms'))).toSorted() })
  }

  /** An alarm has whole milliseconds. */
  async #fractions(): Promise<Response> {
    for (let time = 0; time < 10; time += 1) {
      const called = new Promise<void>((resolve) => { this.#waiting = resolve })
      await this.#alarms.wakeAt('fraction', Date.now() + 10.999)
      await called
    }
    return new Response('called')
  }

  async #retried(): Promise<Response> {
    const ran = new Promise<void>((resolve) => { this.#ran = resolve })
    await this.#alarms.wakeAt('retried', Date.now())
    await ran
    return new Response(await this.#alarms.at('retried') === undefined ? 'forgotten' : 'kept')
  }

  async alarm(): Promise<void> {
    await this.#alarms.run()
    this.#ran?.()
    const counts = (name: string): number => this.#log.filter((entry) => entry === name).length
    if (counts('first') === 3 && counts('second') === 3 && counts('asking') === 2) this.#waiting?.()
  }

  async #repeat(name: string): Promise<number | undefined> {
    await this.#note(name)
    return this.#log.filter((entry) => entry === name).length < 3 ? Date.now() + 10 : undefined
  }

  async #note(name: string): Promise<void> {
    await this.#storage.get('nothing')
    this.#log.push(name)
  }
}

interface Environment {
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): { fetch(request: Request): Promise<Response> } }
}

export const worker = {
  fetch: (request: Request, { OBJECTS }: Environment): Promise<Response> => OBJECTS.get(OBJECTS.idFromName(new URL(request.url).pathname)).fetch(request),
}
