import { expectTypeOf, it } from 'vitest'
import type { StandardSchema } from '@tidemark/core'
import { defineConfig, type serveConfigSchema, type ServeConfig } from './index.ts'

it('takes capabilities and their options, and says where one is none', () => {
  expectTypeOf<typeof serveConfigSchema>().toEqualTypeOf<StandardSchema<ServeConfig>>()
  defineConfig({ authorize: () => true, basePath: '/data' })
  defineConfig(async () => Promise.resolve({ authorize: () => true }))
  // @ts-expect-error no such option
  defineConfig({ authorize: () => true, basepath: '/data' })
  // @ts-expect-error without authorize there is no handler
  defineConfig({ basePath: '/data' })
  // @ts-expect-error a replicator needs a target
  defineConfig({ authorize: () => true, replicator: { replications: [] } })
})
