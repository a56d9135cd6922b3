import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FAULT_KINDS, faultOf, type FaultKind, type FaultPlan } from './fault-plan.ts'
import { FaultyConnection } from './faulty-connection.ts'

export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
  /** Print it with a failure: the same seed draws the same faults. */
  readonly seed: number
  /** Default `none`: bytes pass as they come until a plan is set. */
  readonly plan?: FaultPlan | 'none' | undefined
}

/** A TCP proxy that breaks connections on purpose. Disposing resets what is open and closes the port. */
export interface FaultProxy extends AsyncDisposable {
  readonly host: string
  readonly port: number
  readonly seed: number
  /** Connections accepted so far; the next one has this number. */
  readonly connections: number
  /** How many connections each kind took effect on. A fault drawn whose byte never came is not counted. */
  readonly counts: Readonly<Record<FaultKind, number>>
  /** For connections from now on; those that are open keep their fault. */
  setPlan(plan: FaultPlan | 'none'): void
  /** Resets every open connection, as the end of a network or of a server does. Counted as `reset`. */
  cutAll(): void
  /** The same URL with this proxy's host and port. */
  through(url: string): string
}

/** Opens a proxy on a free port of 127.0.0.1. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const address = listener.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port')
  return new TcpFaultProxy(listener, address.port, options)
}

class TcpFaultProxy implements FaultProxy {
  readonly host = '127.0.0.1'
  readonly port: number
  readonly seed: number
  readonly counts: Record<FaultKind, number>
  readonly #listener: Server
  readonly #target: FaultProxyOptions['target']
  readonly #open = new Set<FaultyConnection>()
  #plan: FaultPlan | 'none'
  #connections = 0

  constructor(listener: Server, port: number, { target, seed, plan }: FaultProxyOptions) {
    this.#listener = listener
    this.#target = target
    this.#plan = plan ?? 'none'
    this.port = port
    this.seed = seed
    // Every kind is a key by construction.
    this.counts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>
    listener.on('connection', (client) => this.#accept(client))
  }

  get connections(): number {
    return this.#connections
  }

  setPlan(plan: FaultPlan | 'none'): void {
    this.#plan = plan
  }

  cutAll(): void {
    this.counts.reset += this.#open.size
    for (const connection of this.#open) connection.reset()
  }

  through(url: string): string {
    const parsed = new URL(url)
    parsed.hostname = this.host
    parsed.port = `${this.port}`
    return parsed.href
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const connection of this.#open) connection.reset()
    await Promise.all([...this.#open].map((connection) => connection.closed))
    await closed
  }

  #accept(client: Socket): void {
    const fault = faultOf(this.#plan, this.seed, this.#connections++)
    if (fault.kind === 'refuse') {
      this.counts.refuse++
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const target = connect({ ...this.#target, allowHalfOpen: true })
    const onFault = (): void => {
      if (fault.kind !== 'none') this.counts[fault.kind]++
    }
    const connection = new FaultyConnection({ client, target, fault, onFault })
    this.#open.add(connection)
    void connection.closed.then(() => this.#open.delete(connection))
  }
}
