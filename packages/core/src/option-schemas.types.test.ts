import type { StandardSchemaV1 } from '@standard-schema/spec'
import type * as v from 'valibot'
import { expectTypeOf, it } from 'vitest'
import type { changeStreamShape } from './change-stream/change-stream-settings.ts'
import type { exportRequestShape, exporterShape } from './exporter/export-shapes.ts'
import type { importerShape } from './importer/importer-shape.ts'
import type {
  ChangeStreamOptions, ExporterOptions, ExportRequest, ImporterOptions, PropagatorOptions, ReceiverOptions, Replication, ReplicationRules, ReplicatorOptions, StandardSchema,
} from './index.ts'
import type { propagatorShape } from './propagator/propagator-settings.ts'
import type { receiverShape } from './propagator/receive/receiver-options.ts'
import type { replicationShape, rulesShape } from './replicator/replication-schema.ts'
import type { replicatorShape } from './replicator/replicator-settings.ts'

/** Without `readonly`, which no schema knows of: plain objects and lists of options all the way down, and what is code as it is. */
type Loose<T> = T extends (...given: never) => unknown ? T
  : T extends readonly (infer Entry)[] ? Loose<Entry>[]
    : T extends object ? { -readonly [Key in keyof T]: Loose<T[Key]> } : T

type Of<S extends v.GenericSchema> = Loose<v.InferOutput<S>>

// The compiler is the test: an option that a schema does not have, or has otherwise, does not compile.
it('takes the very options that are documented, and no others', () => {
  expectTypeOf<Of<typeof replicationShape>>().toEqualTypeOf<Loose<Replication>>()
  expectTypeOf<Of<typeof rulesShape>>().toEqualTypeOf<Loose<ReplicationRules>>()
  expectTypeOf<Of<typeof replicatorShape>>().toEqualTypeOf<Loose<ReplicatorOptions>>()
  expectTypeOf<Of<typeof exportRequestShape>>().toEqualTypeOf<Loose<ExportRequest>>()
  expectTypeOf<Of<typeof exporterShape>>().toEqualTypeOf<Loose<ExporterOptions>>()
  expectTypeOf<Of<typeof importerShape>>().toEqualTypeOf<Loose<ImporterOptions>>()
  expectTypeOf<Of<typeof changeStreamShape>>().toEqualTypeOf<Loose<ChangeStreamOptions>>()
  expectTypeOf<Of<typeof propagatorShape>>().toEqualTypeOf<Loose<PropagatorOptions>>()
  expectTypeOf<Of<typeof receiverShape>>().toEqualTypeOf<Loose<ReceiverOptions>>()
})

it('is a Standard Schema', () => {
  expectTypeOf<StandardSchema<Replication>>().toExtend<StandardSchemaV1<Replication, Replication>>()
  expectTypeOf<StandardSchemaV1.InferOutput<StandardSchema<Replication>>>().toEqualTypeOf<Replication>()
})
