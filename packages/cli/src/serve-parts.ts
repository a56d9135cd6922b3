import {
  ChangeStream, changeStreamOptionsSchema, Exporter, exporterOptionsSchema, Importer, importerOptionsSchema, Propagator, propagatorOptionsSchema, Replicator, replicatorOptionsSchema,
  type StandardSchema,
} from '@tidemark/core'
import { faultsBelow, standardSchema, type Fault } from '@tidemark/core/adapter'
import { handlerOptionsSchema, type AnyImporter, type HandlerOptions } from '@tidemark/http'
import type { ServeConfig, ServedExporter, ServedPropagator, ServedReplicator, ServedStream } from './serve-config.ts'

/** A configuration whose capabilities are there. */
export interface ServeParts {
  /** For `createHandler`. */
  readonly options: HandlerOptions
  readonly replicator: ServedReplicator | undefined
  readonly exporter: ServedExporter | undefined
  readonly streams: readonly ServedStream[]
  readonly propagator: ServedPropagator | undefined
}

/** Validates what a configuration file exports, as `serve` does: everything that is wrong in it at once. */
export const serveConfigSchema: StandardSchema<ServeConfig> = standardSchema(serveFaults)

function serveFaults(config: unknown): readonly Fault[] {
  if (typeof config !== 'object' || config === null) return [{ path: [], message: 'Must be an object.' }]
  const { replicator, exporter, importer, streams, propagator, waitUntil: _waitUntil, ...rest } = config as HandlerOptions & ServeConfig // whatever it has
  return [
    ...'waitUntil' in config ? [{ path: ['waitUntil'], message: 'Is not an option here: this process stays.' }] : [],
    ...faultsIn(handlerOptionsSchema, rest),
    ...partFaults('replicator', replicator, { has: ['start', 'status', 'syncNow'], schema: replicatorOptionsSchema }),
    ...partFaults('exporter', exporter, { has: ['status', 'export', 'download'], schema: exporterOptionsSchema }),
    ...partFaults('importer', importer, { has: ['status', 'run', 'step'], schema: importerOptionsSchema }),
    ...streamFaults(streams),
    ...partFaults('propagator', propagator, { has: ['start', 'status', 'flush'], schema: propagatorOptionsSchema }),
  ]
}

interface Part {
  /** What a capability has, and its options have not. */
  readonly has: readonly string[]
  readonly schema: StandardSchema<unknown>
}

const streamPart: Part = { has: ['live', 'listSources'], schema: changeStreamOptionsSchema }

function partFaults(name: string, value: unknown, { has, schema }: Part): readonly Fault[] {
  return value === undefined || isMade(value, has) ? [] : faultsBelow([name], faultsIn(schema, value))
}

function streamFaults(streams: unknown): readonly Fault[] {
  if (!isNamed(streams)) return partFaults('streams', streams, streamPart)
  return faultsBelow(['streams'], Object.entries(streams).flatMap(([name, one]) => partFaults(name, one, streamPart)))
}

function faultsIn(schema: StandardSchema<unknown>, value: unknown): readonly Fault[] {
  return schema['~standard'].validate(value).issues ?? []
}

function isMade(value: unknown, has: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && has.every((member) => member in value)
}

/** Several streams by name, rather than one or its options. */
function isNamed(streams: unknown): streams is Readonly<Record<string, unknown>> {
  if (typeof streams !== 'object' || streams === null || isMade(streams, streamPart.has)) return false
  const { source, sources } = streams as Readonly<Record<string, unknown>> // any object may be asked
  return !Array.isArray(sources) && !isMade(source, ['connect'])
    && Object.values(streams).some((one) => isMade(one, streamPart.has) || isMade(one, ['source']) || isMade(one, ['sources']))
}

/** Makes what is given as options. Opens nothing. Errors: `NOT_SUPPORTED`; the configuration has been checked. */
export function makeParts(config: ServeConfig): ServeParts {
  const { replicator, exporter, importer, streams, propagator, ...rest } = config
  const made = {
    replicator: replicator === undefined || 'syncNow' in replicator ? replicator : new Replicator(replicator),
    exporter: exporter === undefined || 'download' in exporter ? exporter : new Exporter(exporter),
    propagator: propagator === undefined || 'flush' in propagator ? propagator : new Propagator(propagator),
  }
  const ofImporter: AnyImporter | undefined = importer === undefined || 'run' in importer ? importer : new Importer(importer)
  const ofStreams = makeStreams(streams)
  return { ...made, streams: listOf(ofStreams), options: { ...rest, ...made, importer: ofImporter, streams: ofStreams } }
}

type Streams = ServedStream | Readonly<Record<string, ServedStream>> | undefined

function makeStreams(streams: ServeConfig['streams']): Streams {
  if (streams === undefined) return undefined
  if (!isNamed(streams)) return makeStream(streams)
  return Object.fromEntries(Object.entries(streams as Readonly<Record<string, StreamInput>>).map(([name, one]) => [name, makeStream(one)])) // looked at by the checks
}

type StreamInput = ServedStream | ConstructorParameters<typeof ChangeStream>[0]

function makeStream(input: StreamInput): ServedStream {
  return 'live' in input ? input : new ChangeStream(input)
}

function listOf(streams: Streams): readonly ServedStream[] {
  if (streams === undefined) return []
  return isMade(streams, streamPart.has) ? [streams as ServedStream] : Object.values(streams as Readonly<Record<string, ServedStream>>) // as `isMade` says
}
