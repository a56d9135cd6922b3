import * as v from 'valibot'
import { count, logger, retry, runtime } from '../options/option-shapes.ts'
import { having, standardShape, type StandardSchema } from '../errors/standard-schema.ts'
import { compressions, encryption, formats } from '../dump/dump-shapes.ts'
import type { ImporterOptions } from './import-options.ts'

export const importerShape = v.strictObject({
  source: having<ImporterOptions['source']>(['get', 'head'], 'Must be the storage with the dump, such as fsStorage(folder).'),
  target: having<ImporterOptions['target']>(['connectImport'], 'Must be a database to load into, such as nodeSqlite({ path }).'),
  formats, compressions, encryption,
  retry: v.optional(retry),
  maxStatementBytes: v.optional(count),
  runtime, logger,
})

/** Validates all options of an `Importer`, as its constructor does. */
export const importerOptionsSchema: StandardSchema<ImporterOptions> = standardShape(importerShape)
