import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { forwardRequest, type ForwardedAnswer, type KeptRequest } from './forward-request.ts'
import { requestFaultOf, type RequestFault, type RequestFaultKind, type RequestFaultPlan } from './request-faults.ts'

export interface RequestProxyOptions {
  readonly plan: RequestFaultPlan
  /** When a request has come, before anything is done with it. */
  readonly onRequest?: ((request: KeptRequest) => void) | undefined
  /** When the server has answered one, whoever hears it. */
  readonly onAnswer?: (() => void) | undefined
}

export interface RequestProxyCounts {
  readonly requests: number
  readonly faults: Readonly<Partial<Record<RequestFaultKind, number>>>
}

const GARBAGE = ['<html>Sign in to this network</html>', '{"v":1,', '', '{"v":1,"outcome":"applied"}'] as const

/** Between HTTP clients and one server, whose address may change: does to requests what a network does at its worst. */
export class RequestProxy implements AsyncDisposable {
  readonly #options: RequestProxyOptions
  readonly #server: Server
  readonly #history: KeptRequest[] = []
  /** Whatever still goes to the server without anybody who waits for the answer. */
  readonly #late = new Set<Promise<unknown>>()
  readonly #hanging = new Set<ServerResponse>()
  readonly #faults: Partial<Record<RequestFaultKind, number>> = {}
  #target: string | undefined
  #isCalm = false
  #requests = 0

  private constructor(options: RequestProxyOptions) {
    this.#options = options
    this.#server = createServer((incoming, outgoing) => void this.#handle(incoming, outgoing))
  }

  static async start(options: RequestProxyOptions): Promise<RequestProxy> {
    const proxy = new RequestProxy(options)
    await new Promise<void>((resolve) => void proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo // a TCP server that listens
    return `http://127.0.0.1:${port}/`
  }

  get counts(): RequestProxyCounts {
    return { requests: this.#requests, faults: { ...this.#faults } }
  }

  /** Where requests go from now on; `undefined`: nobody is there. */
  set target(url: string | undefined) {
    this.#target = url
  }

  /** No faults any more; resolves when nothing is under way that a fault has kept. */
  async calm(): Promise<void> {
    this.#isCalm = true
    for (const response of this.#hanging) response.destroy()
    while (this.#late.size > 0) await Promise.allSettled(this.#late)
  }

  /** Sends old requests again, drawn from all that have come, one after the other. */
  async replay(count: number, random: () => number): Promise<void> {
    for (let rest = count; rest > 0; rest -= 1) await this.#replayOne(random())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#target = undefined
    await this.calm()
    const closed = new Promise<void>((resolve) => void this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = await keep(incoming).catch(() => undefined)
    if (request === undefined) return
    this.#requests += 1
    this.#history.push(request)
    this.#options.onRequest?.(request)
    const fault = this.#isCalm ? undefined : requestFaultOf(this.#options.plan, this.#requests)
    if (fault !== undefined) this.#faults[fault.kind] = (this.#faults[fault.kind] ?? 0) + 1
    await this.#answer(request, outgoing, fault)
  }

  async #answer(request: KeptRequest, outgoing: ServerResponse, fault: RequestFault | undefined): Promise<void> {
    switch (fault?.kind) {
      case 'cut-before':
        outgoing.destroy()
        return
      case 'cut-after':
        await this.#forward(request)
        outgoing.destroy()
        return
      case 'hang':
        this.#hang(outgoing)
        if (fault.choice < 0.5) this.#later(this.#forward(request))
        return
      case 'delay':
        return this.#later(setTimeout(fault.delayMs).then(() => this.#pass(request, outgoing)))
      case 'duplicate':
        this.#later(this.#forward(request))
        return this.#pass(request, outgoing)
      case 'replay':
        await this.#pass(request, outgoing)
        this.#later(setTimeout(fault.delayMs).then(() => this.#replayOne(fault.choice)))
        return
      case 'busy':
        send(outgoing, { status: 503, headers: {}, body: 'upstream connect error' })
        return
      case 'garble':
        await this.#forward(request)
        send(outgoing, { status: 200, headers: {}, body: GARBAGE[Math.floor(fault.choice * GARBAGE.length)] ?? '' })
        return
      case undefined:
        return this.#pass(request, outgoing)
      default:
        fault?.kind satisfies undefined
    }
  }

  async #pass(request: KeptRequest, outgoing: ServerResponse): Promise<void> {
    const answer = await this.#forward(request)
    if (answer === undefined) outgoing.destroy()
    else send(outgoing, answer)
  }

  async #forward(request: KeptRequest): Promise<ForwardedAnswer | undefined> {
    const target = this.#target
    const answer = target === undefined ? undefined : await forwardRequest(target, request)
    if (answer !== undefined) this.#options.onAnswer?.()
    return answer
  }

  async #replayOne(choice: number): Promise<void> {
    const request = this.#history[Math.floor(choice * this.#history.length)]
    if (request !== undefined) await this.#forward(request)
  }

  #hang(outgoing: ServerResponse): void {
    this.#hanging.add(outgoing)
    outgoing.once('close', () => this.#hanging.delete(outgoing))
  }

  #later(work: Promise<unknown>): void {
    const done = work.catch(() => undefined).finally(() => this.#late.delete(done))
    this.#late.add(done)
  }
}

async function keep(incoming: IncomingMessage): Promise<KeptRequest> {
  const pieces: Buffer[] = []
  for await (const piece of incoming) pieces.push(piece as Buffer) // no encoding was set
  const headers = Object.entries(incoming.headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { method: incoming.method ?? 'GET', path: incoming.url ?? '/', headers: Object.fromEntries(headers), body: Buffer.concat(pieces) }
}

function send(outgoing: ServerResponse, { status, headers, body }: ForwardedAnswer): void {
  if (outgoing.destroyed) return
  outgoing.writeHead(status, headers)
  outgoing.end(body)
}
