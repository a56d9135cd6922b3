import { csvFormat } from './csv/csv-format.ts'
import type { DumpFormat } from './dump-format.ts'
import { ndjsonFormat } from './ndjson/ndjson-format.ts'

/** Besides SQL, which is the engine's. */
export const builtInFormats: readonly DumpFormat[] = [csvFormat({ guardFormulas: false }), csvFormat({ guardFormulas: true }), ndjsonFormat]
