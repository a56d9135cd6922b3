import type { ExportContext } from './export-context.ts'
import type { ExportState, StreamState } from './export-state.ts'

const MAX_NAME = 60

/** Relative to the dump. Numbers make it unique; what is kept of the table's name is for people. */
export function objectPath(state: ExportState, index: number, options: { readonly volume: number; readonly extension: string }): string {
  const stream = state.streams[index]
  if (stream === undefined) throw new RangeError('There is no stream of this number.')
  const { extension, volume } = options
  if (stream.role === 'dump') return `${state.spec.fileName}${volume === 0 ? '' : `-${pad(volume + 1, 4)}`}.${extension}`
  const base = stream.role === 'rows' ? `${pad((stream.table ?? 0) + 1, 4)}-${plain(tableName(state, stream))}` : `${stream.role}-${pad(index, 4)}`
  const isNumbered = state.spec.layout === 'directory' || volume > 0
  return `${stream.role === 'rows' ? 'rows/' : ''}${base}${isNumbered ? `-${pad(volume + 1, 6)}` : ''}.${extension}`
}

/** Definitions are SQL in every format. */
export function extensionOf(context: Pick<ExportContext, 'formatOf' | 'compressionOf'>, spec: ExportState['spec'], { role }: Pick<StreamState, 'role'>): string {
  const own = role === 'rows' ? context.formatOf(spec)?.extension ?? 'sql' : 'sql'
  return [own, context.compressionOf(spec)?.extension, spec.keyId === undefined ? undefined : 'enc'].filter((part) => part !== undefined).join('.')
}

/** Key of an object in the storage. */
export function objectKey(id: string, path: string): string {
  return `${id}/${path}`
}

function tableName(state: ExportState, stream: StreamState): string {
  return state.plan?.tables[stream.table ?? -1]?.name ?? ''
}

function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_.-]+/g, '_').replaceAll('..', '__').slice(0, MAX_NAME)
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
