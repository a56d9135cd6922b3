import * as v from 'valibot'
import { secret, text } from '../options/option-shapes.ts'
import { having } from '../errors/standard-schema.ts'
import type { Compression } from './compression.ts'
import type { DumpFormat } from './dump-format.ts'

const key = v.strictObject({ key: secret, keyId: v.optional(text) })

/** What options of exporters and importers have in common. */
export const formats = v.optional(v.array(having<DumpFormat>(['name', 'extension', 'header'], 'Must be a format, such as parquetFormat().')))
export const compressions = v.optional(v.array(having<Compression>(['name', 'compress', 'decompress'], 'Must be a compression.')))
export const encryption = v.optional(v.union([key, v.array(key)], 'Must be { key, keyId }, or a list of them.'))
