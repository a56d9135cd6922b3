import type { ChangeStreamOptions, ExporterOptions, ImporterOptions, PropagatorOptions, ReplicatorOptions } from '@tidemark/core'
import type { AnyChangeStream, AnyExporter, AnyImporter, AnyPropagator, AnyReplicator, HandlerOptions } from '@tidemark/http'

/** What `serve` starts when it begins and disposes when it ends. */
export interface Startable extends AsyncDisposable {
  start(): Promise<void>
}

export type ServedReplicator = AnyReplicator & Startable
export type ServedExporter = AnyExporter & AsyncDisposable
export type ServedStream = AnyChangeStream & AsyncDisposable
export type ServedPropagator = AnyPropagator & Startable

/**
 * What a configuration file exports as its default: what the handler is made of, which `serve` starts and stops. Capabilities are given as such, or as their
 * options: then `serve` makes them, and what is wrong anywhere is told together with all the rest.
 */
export interface ServeConfig extends Omit<HandlerOptions, 'replicator' | 'exporter' | 'importer' | 'streams' | 'propagator' | 'waitUntil'> {
  readonly replicator?: ServedReplicator | ReplicatorOptions | undefined
  /** Exports that a process before this one has not finished are gone on with. */
  readonly exporter?: ServedExporter | ExporterOptions | undefined
  readonly importer?: AnyImporter | ImporterOptions | undefined
  readonly streams?: ServedStream | ChangeStreamOptions | Readonly<Record<string, ServedStream | ChangeStreamOptions>> | undefined
  readonly propagator?: ServedPropagator | PropagatorOptions | undefined
}

/** For the compiler, in `tidemark.config.ts`: gives the configuration back. A function is called when it is needed. */
export function defineConfig(config: ServeConfig): ServeConfig
export function defineConfig(config: () => ServeConfig | Promise<ServeConfig>): () => ServeConfig | Promise<ServeConfig>
export function defineConfig(config: ServeConfig | (() => ServeConfig | Promise<ServeConfig>)): ServeConfig | (() => ServeConfig | Promise<ServeConfig>) {
  return config
}
