import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAdaptorServer } from '@hono/node-server'
import { ChangeStream } from '@tidemark/core'
import { bearerTokens, createHandler } from '@tidemark/http'
import { sqliteChanges } from '@tidemark/node'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import { FeedClients } from '../process/feed-clients.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

const CLIENTS = 256
const CHANGES = 4_000
const CHANGES_A_COMMIT = 200
const TARGET_EVENTS_PER_SECOND = 50_000
const EVENTS = CLIENTS * CHANGES

/** Changes of one table to 256 clients by server-sent events, from the first commit until the last client has the last event, against a broadcaster that only writes the same bytes to each. */
export const sseFanOut: BenchCase = {
  name: 'sse-fan-out',
  run: async (context) => {
    let bytes: readonly string[] = []
    const { ours, peer } = await alternate(async (run) => {
      const measured = await throughHandler(context, run)
      bytes = measured.sample
      return measured.seconds
    }, () => broadcast(bytes), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(ours), spreadOf(peer)]
    return {
      case: 'sse-fan-out', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'seconds', runs: context.runs,
      oursSpread, peerSpread, peerName: 'a broadcaster on node:http, the same bytes', rows: EVENTS, rowsPerSecond: Math.round(EVENTS / oursSpread.median),
      detail: { clients: CLIENTS, targetEventsPerSecond: TARGET_EVENTS_PER_SECOND, peerEventsPerSecond: Math.round(EVENTS / peerSpread.median) },
    } satisfies BenchResult
  },
}

interface Measured {
  readonly seconds: number
  /** What one client got, a commit each. */
  readonly sample: readonly string[]
}

async function throughHandler({ folder, log }: CaseContext, run: number): Promise<Measured> {
  const path = join(folder, `fan-out-${run}.db`)
  using database = new DatabaseSync(path, { timeout: 5_000 })
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, quantity INTEGER)')
  const source = sqliteChanges({ path }, { tables: ['items'] })
  await source.install()
  await using stream = new ChangeStream({ source })
  using handler = createHandler({ authorize: bearerTokens({ operate: 'bench' }), streams: stream })
  const server = createAdaptorServer({ fetch: handler })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  await using clients = await FeedClients.start({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/changes`, clients: CLIENTS, changes: CHANGES }) // it listens on a port
  const begin = performance.now()
  for (let first = 1; first <= CHANGES; first += CHANGES_A_COMMIT) {
    database.exec(`WITH RECURSIVE n(i) AS (SELECT ${first} UNION ALL SELECT i + 1 FROM n WHERE i < ${first + CHANGES_A_COMMIT - 1}) INSERT INTO items SELECT i, 'a title of some length', i % 7 FROM n`)
    source.notify()
    // As a server's other requests would be served between two commits.
    await new Promise((resolve) => setImmediate(resolve))
  }
  const sample = await clients.done
  const seconds = (performance.now() - begin) / 1_000
  log(`sse-fan-out: ${EVENTS} events in ${round(seconds)} s`)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
  return { seconds, sample: inCommits(sample) }
}

async function broadcast(commits: readonly string[]): Promise<number> {
  const followers = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    followers.add(response)
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  await using clients = await FeedClients.start({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, clients: CLIENTS, changes: CHANGES }) // it listens on a port
  const begin = performance.now()
  for (const commit of commits) {
    const bytes = Buffer.from(commit)
    for (const follower of followers) follower.write(bytes)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await clients.done
  const seconds = (performance.now() - begin) / 1_000
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return seconds
}

function inCommits(text: string): readonly string[] {
  const messages = text.split(/(?<=\n\n)/)
  return Array.from({ length: Math.ceil(messages.length / CHANGES_A_COMMIT) }, (_, index) => messages.slice(index * CHANGES_A_COMMIT, (index + 1) * CHANGES_A_COMMIT).join(''))
}
