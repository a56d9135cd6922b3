import type { Replica } from '../fixtures/replica.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'
import { startWorker, type WorkerExit } from '../fixtures/worker.ts'
import type { MemoryReport } from './memory-worker.ts'

export interface MemoryOptions {
  /** The table has two to the power of this many rows. */
  readonly doublings: number
  /** Limit of the process' old generation, in megabytes. */
  readonly heapMb: number
}

export interface MemoryOutcome {
  readonly load: MemoryReport
  readonly poll: MemoryReport
  readonly reconcile: MemoryReport
  readonly exit: WorkerExit
  /** Counts and sums of both sides. */
  readonly source: readonly (readonly (string | null)[])[]
  readonly replica: readonly (readonly (string | null)[])[]
}

const COLUMNS = 'label, n, price, ratio, flag, made_at, updated_at'
const SUMS = 'SELECT count(*) AS a, sum(id) AS b, sum(n) AS c, sum(length(label)) AS d, min(price) AS e, max(price) AS f, max(ratio) AS g FROM wide'
/** Every thousandth row as it is. */
const SAMPLE = 'SELECT id, label, n FROM wide WHERE id % 997 = 0 ORDER BY id'

/** A table of a million rows copied, changed by a fifth and reconciled by a process with a small heap. */
export async function memoryRun(source: SourceFixture, replica: Replica, options: MemoryOptions): Promise<MemoryOutcome> {
  await createWide(source, options.doublings)
  const input = { url: source.url, path: replica.path }
  await using worker = startWorker('memory-worker.ts', { input, execArgv: [`--max-old-space-size=${options.heapMb}`] })
  const next = async (): Promise<MemoryReport> => {
    await worker.message()
    worker.tell('begin')
    return worker.message<MemoryReport>()
  }
  const load = await next()
  await source.execute(`UPDATE wide SET n = n + 1, label = 'changed', updated_at = ${source.sql.now} WHERE id % 5 = 0`)
  const poll = await next()
  await source.execute('DELETE FROM wide WHERE id % 1000 = 1')
  const reconcile = await next()
  const exit = await worker.exit
  const both = [SUMS, SAMPLE]
  return {
    load, poll, reconcile, exit,
    source: (await Promise.all(both.map((sql) => source.rows(sql)))).flat(),
    replica: both.flatMap((sql) => replica.rows(sql)),
  }
}

/** Doubles a single row: the one way to make many that every engine knows. */
async function createWide(source: SourceFixture, doublings: number): Promise<void> {
  const { identity, timestamp, now } = source.sql
  await source.execute(`CREATE TABLE wide (id ${identity}, label varchar(60) NOT NULL, n int NOT NULL, price varchar(20) NOT NULL,
    ratio double precision NOT NULL, flag boolean, made_at ${timestamp} NOT NULL, updated_at ${timestamp} NOT NULL)`)
  await source.execute(`INSERT INTO wide (${COLUMNS}) VALUES ('a row of some length, number 0', 0, '12345.60', 0.5, NULL, ${now}, ${now})`)
  for (let power = 0; power < doublings; power += 1) {
    const n = `n + ${2 ** power}`
    await source.execute(`INSERT INTO wide (${COLUMNS}) SELECT concat('a row of some length, number ', ${n}), ${n}, price, ratio, ${n} > 7, made_at, ${now} FROM wide`)
  }
  await source.execute('CREATE INDEX wide_updated_at ON wide (updated_at, id)')
}
