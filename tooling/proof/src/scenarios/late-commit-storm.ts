import type { Replica } from '../fixtures/replica.ts'
import { replicate } from '../fixtures/replicate.ts'
import type { SourceFixture } from '../fixtures/source-fixture.ts'

export interface StormOptions {
  readonly tracking: 'id' | 'updated_at'
  readonly writers: number
  /** How long the writers go on, in milliseconds. */
  readonly durationMs: number
  /** How long one writer's transactions stay open, in seconds. */
  readonly slowSeconds: number
  readonly random: () => number
}

export interface StormOutcome {
  readonly written: number
  readonly polls: number
  readonly rowsRead: number
  readonly missing: readonly (readonly (string | null)[])[]
}

/**
 * Writers whose transactions draw their ids and times early and commit late, some of them seconds late or not at all,
 * while the replicator polls without pause. Every committed row must arrive, by polls alone: reconcile is off.
 */
export async function lateCommitStorm(source: SourceFixture, replica: Replica, options: StormOptions): Promise<StormOutcome> {
  await source.execute(`CREATE TABLE storm (id ${source.sql.identity}, label varchar(40) NOT NULL, updated_at ${source.sql.timestamp} NOT NULL)`)
  await source.execute('CREATE INDEX storm_updated_at ON storm (updated_at)')
  const endMs = Date.now() + options.durationMs
  await using replicator = replicate(source, replica, { table: 'storm', trackingColumn: options.tracking, reconcile: false, settleGraceMs: 250 })
  await replicator.syncNow('storm')
  const writers = Array.from({ length: options.writers }, (_, index) => write(source, { ...options, endMs, slow: index === 0, name: `w${index}` }))
  let [polls, rowsRead] = [0, 0]
  const writing = Promise.all(writers)
  let isWriting = true
  void writing.finally(() => { isWriting = false })
  while (isWriting) {
    rowsRead += (await replicator.syncNow('storm')).rowsRead
    polls += 1
  }
  const written = (await writing).reduce((sum, count) => sum + count, 0)
  // What the last poll left open settles once the grace is over: it ends when a poll has nothing left to settle.
  for (let result = await replicator.syncNow('storm'); result.unsettled.marks > 0; result = await replicator.syncNow('storm')) polls += 1
  return { written, polls, rowsRead, missing: await missingRows(source, replica) }
}

async function missingRows(source: SourceFixture, replica: Replica): Promise<StormOutcome['missing']> {
  const copied = new Set(replica.rows('SELECT id, label FROM storm').map((row) => row.join(' ')))
  const rows = await source.rows('SELECT id, label FROM storm')
  return rows.filter((row) => !copied.has(row.join(' ')))
}

interface WriterOptions extends StormOptions {
  readonly endMs: number
  readonly slow: boolean
  readonly name: string
}

async function write(source: SourceFixture, options: WriterOptions): Promise<number> {
  await using session = await source.session()
  let written = 0
  while (Date.now() < options.endMs) {
    await session.execute('BEGIN')
    await session.execute(`INSERT INTO storm (label, updated_at) VALUES ('${options.name} ${written}', ${source.sql.now})`)
    const delaySeconds = options.slow ? options.slowSeconds : options.random() * 0.03
    await session.execute(source.sql.sleep(Number(delaySeconds.toFixed(4))))
    const commits = options.random() > 0.05
    await session.execute(commits ? 'COMMIT' : 'ROLLBACK')
    if (commits) written += 1
  }
  return written
}
