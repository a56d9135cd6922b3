import { existsSync } from 'node:fs'
import type { ExportRequest } from '@tidemark/core'
import { choice, type OptionContext } from './connection-options.ts'
import type { Flags } from './flags.ts'
import { parseDuration } from './parse-duration.ts'
import { refusePlace, type PlaceRule } from './place-rule.ts'
import { storageOption, type StoragePlace } from './storage-place.ts'
import { locateTarget } from './url.ts'

const SLICE_MS = 250

/** What `export` shall do. */
export interface ExportOptions {
  /** The database file. */
  readonly path: string
  readonly place: StoragePlace
  readonly request: ExportRequest
  /** An export to go on with, instead of a new one. */
  readonly resume: string | undefined
}

/** `undefined` after a fault. */
export function exportOptions(flags: Flags, { faults }: OptionContext): ExportOptions | undefined {
  const path = databaseOption(flags.get('database'), { name: 'database', faults })
  const place = storageOption(flags.get('to'), { name: '--to', faults })
  const request = requestOf(flags, faults)
  if (path === undefined || place === undefined) return undefined
  return { path, place, request, resume: flags.get('resume') }
}

/** A file of SQLite that is there. */
export function databaseOption(text: string | undefined, rule: PlaceRule): string | undefined {
  if (text === undefined || text === '') return refusePlace(rule, 'Is missing: a SQLite file.')
  const located = locateTarget(text)
  if ('fault' in located) return refusePlace(rule, located.fault)
  if (located.location.kind !== 'file') return refusePlace(rule, 'Must be a SQLite file.')
  // What could not be opened for a moment is tried again for minutes; a name that was mistyped is told at once.
  return existsSync(located.location.path) ? located.location.path : refusePlace(rule, 'There is no such file.')
}

/** A file of SQLite that may still be made. */
export function newDatabaseOption(text: string | undefined, rule: PlaceRule): string | undefined {
  if (text === undefined || text === '') return refusePlace(rule, 'Is missing: a SQLite file.')
  const located = locateTarget(text)
  if ('fault' in located) return refusePlace(rule, located.fault)
  return located.location.kind === 'file' ? located.location.path : refusePlace(rule, 'Must be a SQLite file.')
}

function requestOf(flags: Flags, faults: OptionContext['faults']): ExportRequest {
  if (flags.has('schema-only') && flags.has('data-only')) faults.add('--schema-only', 'Has no meaning with --data-only.')
  const format = choice(flags, { name: 'format', choices: ['sql', 'csv', 'ndjson'], faults })
  const layout = choice(flags, { name: 'layout', choices: ['single', 'directory'], faults })
  const consistency = choice(flags, { name: 'consistency', choices: ['auto', 'snapshot', 'fuzzy'], faults })
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
