import { bearerTokens, createHandler } from '@tidemark/http'
import { Hono } from 'hono/tiny'
import { alternate } from '../measure/alternate.ts'
import { requestsOverSocket } from '../measure/requests-over-socket.ts'
import { round, spreadOf } from '../measure/spread.ts'
import type { BenchResult } from '../result.ts'
import type { BenchCase, CaseContext } from './case.ts'

type Handle = (request: Request) => Response | Promise<Response>

const TOKEN = 'bench'
const REQUESTS = 5_000
const ROUTES = { health: '/health', problem: '/nothing' } as const

/** What a request costs in the handler, with its credentials asked for, against a bare hono app that answers the same bytes: in process, and over a socket. */
export const httpOverhead: BenchCase = {
  name: 'http-overhead',
  run: async (context) => {
    using handler = createHandler({ authorize: bearerTokens({ read: TOKEN }) })
    const bare = await bareApp(handler)
    const health = await compare(context, ROUTES.health, handler, bare)
    const problem = await compare(context, ROUTES.problem, handler, bare)
    const socket = await alternate(() => requestsOverSocket(handler, { path: ROUTES.health, token: TOKEN }), () => requestsOverSocket(bare, { path: ROUTES.health, token: TOKEN }), context.runs)
    const [oursSpread, peerSpread] = [spreadOf(health.ours), spreadOf(health.peer)]
    const [overSocket, bareOverSocket] = [spreadOf(socket.ours).median, spreadOf(socket.peer).median]
    return {
      case: 'http-overhead', ours: oursSpread.median, peer: peerSpread.median, ratio: round(peerSpread.median / oursSpread.median), unit: 'milliseconds', runs: context.runs,
      oursSpread, peerSpread, peerName: 'bare hono, the same bytes', rows: REQUESTS, rowsPerSecond: Math.round(REQUESTS / oursSpread.median * 1_000),
      detail: {
        overheadMicroseconds: { health: overhead(oursSpread.median, peerSpread.median), problem: overhead(spreadOf(problem.ours).median, spreadOf(problem.peer).median) },
        overSocket: { ours: Math.round(overSocket), peer: Math.round(bareOverSocket), unit: 'requests/s', ratio: round(overSocket / bareOverSocket) },
      },
    } satisfies BenchResult
  },
}

function compare({ runs }: CaseContext, path: string, ours: Handle, peer: Handle): Promise<{ readonly ours: readonly number[]; readonly peer: readonly number[] }> {
  return alternate(() => timed(ours, path), () => timed(peer, path), runs)
}

/** Milliseconds. */
async function timed(handle: Handle, path: string): Promise<number> {
  const begin = performance.now()
  for (let index = 0; index < REQUESTS; index += 1) await (await handle(request(path))).text()
  return performance.now() - begin
}

function request(path: string): Request {
  return new Request(`http://localhost${path}`, { headers: { authorization: `Bearer ${TOKEN}` } })
}

async function bareApp(handler: Handle): Promise<Handle> {
  const app = new Hono()
  const [health, problem] = [await recorded(handler, ROUTES.health, 200), await recorded(handler, ROUTES.problem, 404)]
  app.get(ROUTES.health, () => health())
  app.notFound(() => problem())
  return (asked) => app.fetch(asked)
}

/** An answer as the handler gave it once. */
async function recorded(handler: Handle, path: string, status: number): Promise<() => Response> {
  const answer = await handler(request(path))
  if (answer.status !== status) throw new Error(`${path} answered ${answer.status}.`)
  const [text, headers] = [await answer.text(), Object.fromEntries(answer.headers)]
  return () => new Response(text, { status, headers })
}

/** In microseconds a request. */
function overhead(oursMs: number, peerMs: number): number {
  return round((oursMs - peerMs) * 1_000 / REQUESTS)
}
