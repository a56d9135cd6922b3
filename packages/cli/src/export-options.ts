import type { ExportRequest } from '@tidemark/core'
import { choice, type OptionContext } from './connection-options.ts'
import { exportDatabaseOption, type ExportDatabase } from './export-database.ts'
import type { Flags } from './flags.ts'
import { parseDuration } from './parse-duration.ts'
import { storageOption, type StoragePlace } from './storage-place.ts'

const SLICE_MS = 250

/** What `export` shall do. */
export interface ExportOptions {
  readonly database: ExportDatabase
  /** As it was written, unless that holds a password. */
  readonly databaseText: string
  readonly place: StoragePlace
  readonly request: ExportRequest
  /** An export to go on with, instead of a new one. */
  readonly resume: string | undefined
}

/** `undefined` after a fault. */
export function exportOptions(flags: Flags, context: OptionContext): ExportOptions | undefined {
  const { faults } = context
  const database = exportDatabaseOption(flags, context)
  const place = storageOption(flags.get('to'), { name: '--to', faults })
  const request = requestOf(flags, faults)
  if (database === undefined || place === undefined) return undefined
  return { database, databaseText: database.kind === 'file' ? database.path : 'DATABASE', place, request, resume: flags.get('resume') }
}

function requestOf(flags: Flags, faults: OptionContext['faults']): ExportRequest {
  if (flags.has('schema-only') && flags.has('data-only')) faults.add('--schema-only', 'Has no meaning with --data-only.')
  const format = choice(flags, { name: 'format', choices: ['sql', 'csv', 'csv-guarded', 'ndjson'], faults })
  const layout = choice(flags, { name: 'layout', choices: ['single', 'directory'], faults })
  const consistency = choice(flags, { name: 'consistency', choices: ['auto', 'snapshot', 'corrected', 'fuzzy'], faults })
  const patterns = flags.all('exclude-matching').flatMap((source) => compiled(source, faults) ?? [])
  const tables = flags.all('table')
  const pause = flags.get('pause')
  const pauseMs = pause === undefined ? undefined : parseDuration(pause)
  if (pause !== undefined && pauseMs === undefined) faults.add('--pause', 'Must be a duration such as 2s or 1m.')
  return {
    format, layout, consistency, pauseMs,
    // Without pauses between them slices cost nothing, and each one moves the progress bar.
    budget: pauseMs === undefined ? { ms: SLICE_MS } : undefined,
    tables: tables.length === 0 ? undefined : tables,
    exclude: [...flags.all('exclude'), ...patterns],
    content: flags.has('schema-only') ? 'schema' : flags.has('data-only') ? 'data' : undefined,
    fileName: flags.get('name'),
  }
}

function compiled(source: string, faults: OptionContext['faults']): RegExp | undefined {
  try {
    return new RegExp(source)
  } catch {
    faults.add('--exclude-matching', 'Must be a regular expression.')
    return undefined
  }
}
