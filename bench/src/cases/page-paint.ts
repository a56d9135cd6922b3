import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createAdaptorServer } from '@hono/node-server'
import { Replicator } from '@tidemark/core'
import { bearerTokens, createHandler } from '@tidemark/http'
import { nodeSqliteSource, nodeSqliteTarget } from '@tidemark/node'
import { launchChromium } from '@tidemark/test-servers/chromium'
import { Hono } from 'hono/tiny'
import { alternate } from '../measure/alternate.ts'
import { round, spreadOf } from '../measure/spread.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

type Handle = (request: Request) => Response | Promise<Response>
type Chromium = Awaited<ReturnType<typeof launchChromium>>

const HEADERS = { authorization: 'Bearer bench' } as const
const TARGET_MS = 500

/** Run in the page by the debugger, since its policy lets nothing be evaluated. */
const FIRST_PAINT = `new Promise((resolve) => {
  const take = (list) => list.getEntriesByName('first-contentful-paint').forEach(({ startTime }) => resolve(startTime))
  new PerformanceObserver(take).observe({ type: 'paint', buffered: true })
})`
const WHEN_THERE = `(wanted) => new Promise((resolve) => {
  const look = () => (document.querySelector(wanted) === null ? requestAnimationFrame(look) : resolve(performance.now()))
  look()
})`

interface Painted {
  /** Of the navigation, as the browser has it. */
  readonly firstMs: number
  /** Until the tables are there, which the page asks for when it runs. */
  readonly filledMs: number
}

/** First contentful paint of the status page in a local Chromium with nothing cached, served over a socket, against a page of plain HTML with as many bytes from a bare hono app. */
export const pagePaint: BenchCase = {
  name: 'page-paint',
  run: async (context) => {
    await using replicator = await synced(context)
    using handler = createHandler({ authorize: bearerTokens({ admin: 'bench' }), replicator })
    const bytes = (await (await handler(new Request('http://localhost/', { headers: HEADERS }))).text()).length
    await using ours = await listening(handler)
    await using peer = await listening(plainPage(bytes))
    const browser = await launchChromium()
    try {
      const painted = await alternate(() => paint(browser, ours.url, '#replications td'), () => paint(browser, peer.url, 'main'), context.runs)
      return resultOf(context, bytes, painted)
    } finally {
      await browser.close()
    }
  },
}

function resultOf({ runs, log }: CaseContext, bytes: number, { ours, peer }: { readonly ours: readonly Painted[]; readonly peer: readonly Painted[] }): BenchResult {
  const [oursSpread, peerSpread] = [spreadOf(ours.map(({ firstMs }) => firstMs)), spreadOf(peer.map(({ firstMs }) => firstMs))]
  log(`page-paint: ${oursSpread.median} ms of ${TARGET_MS} ms`)
  return {
    case: 'page-paint', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'milliseconds', runs,
    oursSpread, peerSpread, peerName: 'plain HTML of as many bytes from bare hono', rows: 1,
    detail: { targetMs: TARGET_MS, bytes, filledMs: spreadOf(ours.map(({ filledMs }) => filledMs)) },
  }
}

/** Each time in a context of its own: no cache, no connection that is there already. */
async function paint(browser: Chromium, url: string, filled: string): Promise<Painted> {
  const context = await browser.newContext({ extraHTTPHeaders: HEADERS })
  try {
    const page = await context.newPage()
    await page.goto(url, { waitUntil: 'commit' })
    const [firstMs, filledMs] = await Promise.all([page.evaluate<number>(FIRST_PAINT), page.evaluate<number>(`(${WHEN_THERE})(${JSON.stringify(filled)})`)])
    return { firstMs: round(firstMs), filledMs: round(filledMs) }
  } finally {
    await context.close()
  }
}

/** Something to show. */
async function synced({ folder }: CaseContext): Promise<Replicator> {
  const path = join(folder, 'app.db')
  using database = new DatabaseSync(path)
  database.exec('CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO items VALUES (1, \'one\')')
  const replicator = new Replicator({ target: nodeSqliteTarget({ path: join(folder, 'copy.db') }), replications: [{ name: 'items', source: nodeSqliteSource({ path }), sourceTable: 'items' }] })
  await replicator.syncNow('items')
  return replicator
}

function plainPage(bytes: number): Handle {
  const [head, line, end] = ['<!doctype html><html lang="en"><title>Plain</title><main>', '<p>A line of text like any other, of which there are as many as it takes.</p>', '</main></html>']
  const html = head + line.repeat(Math.ceil((bytes - head.length - end.length) / line.length)).slice(0, bytes - head.length - end.length) + end
  const app = new Hono()
  app.get('/', (context) => context.html(html))
  return (request) => app.fetch(request)
}

interface Listening extends AsyncDisposable {
  readonly url: string
}

async function listening(handle: Handle): Promise<Listening> {
  const server = createAdaptorServer({ fetch: handle })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, // it listens on a port
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => {
      server.close(() => resolve())
      if ('closeAllConnections' in server) server.closeAllConnections()
    }),
  }
}
