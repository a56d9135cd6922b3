import type { StartedTestContainer } from 'testcontainers'
import type { ServerLifecycle } from '../server.ts'
import { freePort } from './free-port.ts'
import { waitUntilReady } from './wait-until-ready.ts'

const STOP_LIMIT_MS = 30_000

export interface ContainerSpec {
  readonly image: string
  readonly port: number
  readonly env: Readonly<Record<string, string>>
  readonly command: readonly string[]
  /** Resolves when the server answers, rejects while it does not. */
  probe(host: string, port: number): Promise<void>
}

/** A container with its server on a fixed port of this machine, so that a restart keeps the address. */
export class Container implements ServerLifecycle {
  readonly port: number
  readonly #spec: ContainerSpec
  readonly #started: StartedTestContainer

  private constructor(spec: ContainerSpec, started: StartedTestContainer, port: number) {
    this.#spec = spec
    this.#started = started
    this.port = port
  }

  static async start(spec: ContainerSpec): Promise<Container> {
    // Imported here: a machine without Docker pays nothing for it.
    const { GenericContainer, Wait } = await import('testcontainers')
    const port = await freePort()
    const started = await new GenericContainer(spec.image)
      .withEnvironment({ ...spec.env })
      .withExposedPorts({ container: spec.port, host: port })
      .withCommand([...spec.command])
      .withWaitStrategy(Wait.forListeningPorts())
      .start()
    const container = new Container(spec, started, port)
    try {
      await container.#waitUntilReady()
      return container
    } catch (error) {
      await container[Symbol.asyncDispose]()
      throw error
    }
  }

  get host(): string {
    return this.#started.getHost()
  }

  /** Through the client, because a started container's own stop() works once and this server may stop often. */
  async stop(mode: 'fast' | 'kill'): Promise<void> {
    const { getContainerRuntimeClient } = await import('testcontainers')
    const { container } = await getContainerRuntimeClient()
    // No time between SIGTERM and SIGKILL is the nearest thing to a crash.
    await container.stop(container.getById(this.#started.getId()), { timeout: mode === 'kill' ? 0 : STOP_LIMIT_MS })
  }

  async restart(mode: 'graceful' | 'kill'): Promise<void> {
    await this.#started.restart({ timeout: mode === 'kill' ? 0 : STOP_LIMIT_MS })
    await this.#waitUntilReady()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started.stop({ remove: true, removeVolumes: true, timeout: 0 })
  }

  async #waitUntilReady(): Promise<void> {
    await waitUntilReady(() => this.#spec.probe(this.host, this.port))
  }
}
