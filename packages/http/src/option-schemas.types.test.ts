import { expectTypeOf, it } from 'vitest'
import type * as v from 'valibot'
import type { handlerShape } from './handler-settings.ts'
import type { ConfigureBody, DumpBody, HandlerOptions } from './index.ts'
import type { dumpShape } from './routes/export-dump.ts'
import type { configureShape } from './routes/replication-configure.ts'

/** Without `readonly`, which no schema knows of: plain objects and lists of options all the way down, and what is code as it is. */
type Loose<T> = T extends (...given: never) => unknown ? T
  : T extends readonly (infer Entry)[] ? Loose<Entry>[]
    : T extends object ? { -readonly [Key in keyof T]: Loose<T[Key]> } : T

type Of<S extends v.GenericSchema> = Loose<v.InferOutput<S>>

// The compiler is the test: an option that a schema does not have, or has otherwise, does not compile.
it('takes the very options that are documented, and no others', () => {
  expectTypeOf<Of<typeof handlerShape>>().toEqualTypeOf<Loose<HandlerOptions>>()
  expectTypeOf<Of<typeof configureShape>>().toEqualTypeOf<Loose<ConfigureBody>>()
  expectTypeOf<Of<typeof dumpShape>>().toEqualTypeOf<Loose<DumpBody>>()
})
