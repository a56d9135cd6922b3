import type { ChangeStream, Replicator } from '@tidemark/core'
import { expectTypeOf, it } from 'vitest'
import type { HandlerOptions } from './index.ts'

interface Database {
  users: { id: number; email: string }
}

it('takes capabilities that know their tables', () => {
  expectTypeOf<Replicator<Database>>().toExtend<NonNullable<HandlerOptions['replicator']>>()
  expectTypeOf<ChangeStream<Database>>().toExtend<NonNullable<HandlerOptions['streams']>>()
})
