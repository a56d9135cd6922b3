import type { ChangeStream, Exporter, Importer, Propagator, Replicator } from '@tidemark/core'

/** What is used of a `Replicator`, whatever its tables. */
export type AnyReplicator = Pick<Replicator, 'on' | 'configure' | 'remove' | 'pause' | 'resume' | 'syncNow' | 'status' | 'logs'>

/** What is used of an `Exporter`. */
export type AnyExporter = Pick<Exporter, 'on' | 'export' | 'finish' | 'status' | 'list' | 'cancel' | 'delete' | 'download'>

/** What is used of an `Importer`. */
export type AnyImporter = Pick<Importer, 'status' | 'run' | 'step' | 'looksComplete'>

/** What is used of a `ChangeStream`, whatever its tables. */
export type AnyChangeStream = Pick<ChangeStream, 'live' | 'listSources'>

/** What is used of a `Propagator`. */
export type AnyPropagator = Pick<Propagator, 'status' | 'flush'>
