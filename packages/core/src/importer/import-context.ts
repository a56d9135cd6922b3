import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import { builtInFormats } from '../dump/built-in-formats.ts'
import { DumpKeys } from '../dump/encryption/dump-keys.ts'
import { gzip } from '../dump/gzip.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import { configError } from '../errors/fault.ts'
import { shapeIssues } from '../errors/shape-issues.ts'
import { silentLogger, type Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import type { ImporterOptions } from './import-options.ts'
import { importerShape } from './importer-shape.ts'

const DEFAULT_RETRY: RetryOptions = { attempts: 8, baseMs: 500, maxMs: 300_000 }
const DEFAULT_MAX_STATEMENT_BYTES = 256 * 1_048_576

export interface ImportContext extends Pick<ImporterOptions, 'source' | 'target'> {
  readonly runtime: Runtime
  readonly logger: Logger
  readonly retry: RetryOptions
  readonly maxStatementBytes: number
  readonly compressions: readonly Compression[]
  readonly keys: DumpKeys
  readonly compressionOf: (name: string) => Compression | undefined
  readonly formatOf: (name: string) => DumpFormat | undefined
}

/** Errors: `CONFIG_INVALID` with every fault found. */
export function importContext(options: ImporterOptions): ImportContext {
  const issues = shapeIssues(importerShape, options)
  if (issues.length > 0) throw configError(issues)
  const { source, target } = options
  const formats = [...options.formats ?? [], ...builtInFormats]
  const compressions = [gzip, ...options.compressions ?? []]
  return {
    source, target, compressions,
    keys: new DumpKeys(options.encryption),
    runtime: options.runtime ?? systemRuntime(),
    logger: options.logger ?? silentLogger,
    retry: { ...DEFAULT_RETRY, ...options.retry },
    maxStatementBytes: options.maxStatementBytes ?? DEFAULT_MAX_STATEMENT_BYTES,
    compressionOf: (name) => compressions.find((compression) => compression.name === name),
    formatOf: (name) => formats.find((format) => format.name === name),
  }
}
