import type { Compression } from '../dump/compression.ts'
import type { DumpFormat } from '../dump/dump-format.ts'
import { builtInFormats } from '../dump/built-in-formats.ts'
import { DumpKeys } from '../dump/encryption/dump-keys.ts'
import { gzip } from '../dump/gzip.ts'
import type { RetryOptions } from '../engine/run-steps.ts'
import { TidemarkError, type ConfigIssue } from '../errors/tidemark-error.ts'
import { silentLogger, type Logger } from '../log/logger.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { systemRuntime } from '../runtime/system-runtime.ts'
import type { ImporterOptions } from './import-options.ts'

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
  const issues = issuesOf(options)
  if (issues.length > 0) throw new TidemarkError('CONFIG_INVALID', `The options have ${issues.length} fault${issues.length === 1 ? '' : 's'}. ${issues.map(({ path, message }) => `${path}: ${message}`).join(' ')}`, { issues })
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

function issuesOf(options: ImporterOptions): readonly ConfigIssue[] {
  const given: unknown = options
  if (typeof given !== 'object' || given === null) return [{ path: '', message: 'Must be an object.' }]
  return [
    ...required(options.source, 'source', ['get', 'head'], 'the storage with the dump, such as fsStorage(folder)'),
    ...required(options.target, 'target', ['connectImport'], 'a database to load into, such as nodeSqlite({ path })'),
  ]
}

function required(value: unknown, path: string, members: readonly string[], what: string): readonly ConfigIssue[] {
  const isFit = typeof value === 'object' && value !== null && members.every((member) => member in value)
  return isFit ? [] : [{ path, message: `Must be ${what}.` }]
}
