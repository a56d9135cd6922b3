import { TidemarkError } from '@tidemark/core/adapter'

/** The subset of `ctx.storage` that keeps wake-ups. */
export interface AlarmStorage {
  get(key: string): Promise<unknown>
  put(key: string, value: unknown): Promise<void>
  setAlarm(atMs: number): Promise<void>
  deleteAlarm(): Promise<void>
}

export interface DurableObjectAlarmsOptions {
  /** Key under which wake-ups are kept. Default `tidemark:alarms`. */
  readonly key?: string | undefined
  /** A job that failed is tried again after this, in milliseconds. Default 60,000. */
  readonly retryMs?: number | undefined
  /** Told what a job threw. Default: nothing. */
  readonly onError?: ((name: string, error: unknown) => void) | undefined
}

/** Does the job's next slice; gives when it wants to be called again, in milliseconds since 1970, or `undefined` when it has nothing more to do. */
export type AlarmJob = () => Promise<number | undefined>

const LOOK_AGAIN_MS = 1_000

type Wakeups = Readonly<Record<string, number>>

/**
 * Many jobs on the one alarm that a Durable Object has. Wake-ups have names and are stored, so that they outlive the object.
 *
 * A job that throws is called again later and delays none of the others. One whose name nobody knows any more stays as it is: the release that
 * dropped it may be taken back.
 */
export class DurableObjectAlarms {
  readonly #storage: AlarmStorage
  readonly #jobs: ReadonlyMap<string, AlarmJob>
  readonly #options: DurableObjectAlarmsOptions
  #updates: Promise<void> = Promise.resolve()
  /** Jobs at work, and when they were asked for meanwhile. The stored time can't tell: it may be the one of the retry. */
  readonly #asked = new Map<string, number>()

  /** Give the same jobs whenever the object is made: they are found by their names. */
  constructor(storage: AlarmStorage, jobs: Readonly<Record<string, AlarmJob>>, options: DurableObjectAlarmsOptions = {}) {
    this.#storage = storage
    this.#jobs = new Map(Object.entries(jobs))
    this.#options = options
  }

  /** Has a job called at a time, or earlier where it is due earlier already. Errors: `NAME_UNKNOWN`. */
  async wakeAt(name: string, atMs: number): Promise<void> {
    if (!this.#jobs.has(name)) throw new TidemarkError('NAME_UNKNOWN', 'There is no job of this name.')
    const asked = this.#asked.get(name)
    if (asked !== undefined) this.#asked.set(name, Math.min(atMs, asked))
    await this.#update((wakeups) => ({ ...wakeups, [name]: Math.min(atMs, wakeups[name] ?? atMs) }))
  }

  /** When a job is to be called next, in milliseconds since 1970. */
  async at(name: string): Promise<number | undefined> {
    return (await this.#read())[name]
  }

  /** Forgets a wake-up. */
  async cancel(name: string): Promise<void> {
    await this.#update(({ [name]: _cancelled, ...others }) => others)
  }

  /**
   * For the object's `alarm()`: calls every job that is due, side by side, and sets the alarm for the next. A job that falls due while one of them is
   * still at work does not wait for it.
   */
  async run(): Promise<void> {
    const running = new Map<string, Promise<void>>()
    await this.#startDue(running)
    // Only they keep it going: jobs that are always due would otherwise take turns in it for ever.
    let isOver = false
    const over = Promise.all(running.values()).then(() => { isOver = true })
    while (!isOver) {
      await this.#untilDue(running, over)
      if (!isOver) await this.#startDue(running)
    }
    await Promise.all(running.values())
    await this.#update((wakeups) => wakeups)
  }

  async #startDue(running: Map<string, Promise<void>>): Promise<void> {
    const due = Object.entries(await this.#read()).filter(([name, atMs]) => atMs <= Date.now() && !running.has(name)).toSorted(([, a], [, b]) => a - b)
    for (const [name] of due) running.set(name, this.#runJob(name).finally(() => running.delete(name)))
  }

  /** Looks again after a while in any case: somebody may ask for a job meanwhile. */
  async #untilDue(running: ReadonlyMap<string, unknown>, over: Promise<void>): Promise<void> {
    const times = Object.entries(await this.#read()).filter(([name]) => this.#jobs.has(name) && !running.has(name)).map(([, atMs]) => atMs - Date.now())
    const delayMs = Math.max(1, Math.min(LOOK_AGAIN_MS, ...times))
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, delayMs)
      void over.then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** A wake-up for a retry is stored first: the object may be ended in the middle of the job. */
  async #runJob(name: string): Promise<void> {
    const job = this.#jobs.get(name)
    if (job === undefined) return
    const retryAtMs = Date.now() + (this.#options.retryMs ?? 60_000)
    this.#asked.set(name, Infinity)
    try {
      await this.#update((wakeups) => ({ ...wakeups, [name]: retryAtMs }))
      await this.#work({ name, job, retryAtMs })
    } finally {
      this.#asked.delete(name)
    }
  }

  async #work({ name, job, retryAtMs }: { readonly name: string; readonly job: AlarmJob; readonly retryAtMs: number }): Promise<void> {
    try {
      const nextAtMs = await job()
      await this.#update(({ [name]: storedAtMs = Infinity, ...others }) => {
        // Others that keep the same alarms may have asked for it, too.
        const asked = Math.min(this.#asked.get(name) ?? Infinity, storedAtMs === retryAtMs ? Infinity : storedAtMs)
        const next = Math.min(nextAtMs ?? Infinity, asked)
        return next === Infinity ? others : { ...others, [name]: next }
      })
    } catch (error) {
      this.#options.onError?.(name, error)
    }
  }

  /** One after the other: none may write what it made of wake-ups that another has changed since. */
  #update(change: (wakeups: Wakeups) => Wakeups): Promise<void> {
    const update = this.#updates.then(async () => this.#write(change(await this.#read())))
    this.#updates = update.catch(() => undefined)
    return update
  }

  async #read(): Promise<Wakeups> {
    const stored = await this.#storage.get(this.#key)
    return typeof stored === 'object' && stored !== null ? stored as Wakeups : {} // written by `#write`
  }

  /** Wake-ups and alarm go to disk together: writes without an await of something else between them do. Names that nobody knows wake nobody. */
  async #write(wakeups: Wakeups): Promise<void> {
    const times = Object.entries(wakeups).filter(([name]) => this.#jobs.has(name)).map(([, atMs]) => atMs)
    // An alarm has whole milliseconds. One that came before its job is due would be set again to where it is, and not come a second time.
    const alarm = times.length === 0 ? this.#storage.deleteAlarm() : this.#storage.setAlarm(Math.ceil(Math.min(...times)))
    await Promise.all([this.#storage.put(this.#key, wakeups), alarm])
  }

  get #key(): string {
    return this.#options.key ?? 'tidemark:alarms'
  }
}
