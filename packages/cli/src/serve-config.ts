import type { AnyChangeStream, AnyExporter, AnyPropagator, AnyReplicator, HandlerOptions } from '@tidemark/http'

/** What `serve` starts when it begins and disposes when it ends. */
export interface Startable extends AsyncDisposable {
  start(): Promise<void>
}

type Stream = AnyChangeStream & AsyncDisposable

/** What a configuration file exports as its default: what the handler is made of, which `serve` starts and stops. */
export interface ServeConfig extends Omit<HandlerOptions, 'replicator' | 'exporter' | 'streams' | 'propagator' | 'waitUntil'> {
  readonly replicator?: (AnyReplicator & Startable) | undefined
  /** Exports that a process before this one has not finished are gone on with. */
  readonly exporter?: (AnyExporter & AsyncDisposable) | undefined
  readonly streams?: Stream | Readonly<Record<string, Stream>> | undefined
  readonly propagator?: (AnyPropagator & Startable) | undefined
}

/** For the compiler, in `tidemark.config.ts`: gives the configuration back. A function is called when it is needed. */
export function defineConfig<Config extends ServeConfig | (() => ServeConfig | Promise<ServeConfig>)>(config: Config): Config {
  return config
}
