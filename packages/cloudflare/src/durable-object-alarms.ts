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

  /** Give the same jobs whenever the object is made: they are found by their names. */
  constructor(storage: AlarmStorage, jobs: Readonly<Record<string, AlarmJob>>, options: DurableObjectAlarmsOptions = {}) {
    this.#storage = storage
    this.#jobs = new Map(Object.entries(jobs))
    this.#options = options
  }

  /** Has a job called at a time, or earlier where it is due earlier already. Errors: `NAME_UNKNOWN`. */
  async wakeAt(name: string, atMs: number): Promise<void> {
    if (!this.#jobs.has(name)) throw new TidemarkError('NAME_UNKNOWN', 'There is no job of this name.')
    const wakeups = await this.#read()
    await this.#write({ ...wakeups, [name]: Math.min(atMs, wakeups[name] ?? atMs) })
  }

  /** When a job is to be called next, in milliseconds since 1970. */
  async at(name: string): Promise<number | undefined> {
    return (await this.#read())[name]
  }

  /** Forgets a wake-up. */
  async cancel(name: string): Promise<void> {
    const { [name]: _cancelled, ...others } = await this.#read()
    await this.#write(others)
  }

  /** For the object's `alarm()`: calls every job that is due, one after the other, and sets the alarm for the next. */
  async run(): Promise<void> {
    const due = Object.entries(await this.#read()).filter(([, atMs]) => atMs <= Date.now()).toSorted(([, a], [, b]) => a - b)
    for (const [name] of due) await this.#runJob(name)
    await this.#write(await this.#read())
  }

  /** A wake-up for a retry is stored first: the object may be ended in the middle of the job. */
  async #runJob(name: string): Promise<void> {
    const job = this.#jobs.get(name)
    if (job === undefined) return
    const retryAtMs = Date.now() + (this.#options.retryMs ?? 60_000)
    await this.#write({ ...await this.#read(), [name]: retryAtMs })
    try {
      const nextAtMs = await job()
      // Somebody may have asked for it meanwhile.
      const { [name]: askedAtMs, ...others } = await this.#read()
      const asked = askedAtMs === undefined || askedAtMs === retryAtMs ? undefined : askedAtMs
      const times = [nextAtMs, asked].filter((time) => time !== undefined)
      await this.#write(times.length === 0 ? others : { ...others, [name]: Math.min(...times) })
    } catch (error) {
      this.#options.onError?.(name, error)
    }
  }

  async #read(): Promise<Wakeups> {
    const stored = await this.#storage.get(this.#key)
    return typeof stored === 'object' && stored !== null ? stored as Wakeups : {} // written by `#write`
  }

  /** Wake-ups and alarm go to disk together: writes without an await of something else between them do. Names that nobody knows wake nobody. */
  async #write(wakeups: Wakeups): Promise<void> {
    const times = Object.entries(wakeups).filter(([name]) => this.#jobs.has(name)).map(([, atMs]) => atMs)
    const alarm = times.length === 0 ? this.#storage.deleteAlarm() : this.#storage.setAlarm(Math.min(...times))
    await Promise.all([this.#storage.put(this.#key, wakeups), alarm])
  }

  get #key(): string {
    return this.#options.key ?? 'tidemark:alarms'
  }
}
