import type { DatabaseSync } from 'node:sqlite'
import { createHash } from 'node:crypto'
import { printPosition, type ChangeEvent, type LogPosition, type ReadChunkRequest, type SnapshotChunk } from '@tidemark/core/adapter'
import { collated, quote, quoteTable } from '@tidemark/sqlite'
import { keyParameters, keyText } from './key-text.ts'
import type { RowDraft } from './row-draft.ts'
import type { RowImages, TextForm } from './row-images.ts'
import { eachRow, prepareRaw, type Parameter } from './statements.ts'
import { toEvent } from './to-event.ts'

export interface ChunkOptions {
  readonly request: ReadChunkRequest
  readonly images: RowImages
  /** The log's end, at which the rows are read. */
  readonly through: LogPosition
  readonly sourceName: string
  readonly receivedAtMs: number
}

/** Rows in key order behind `after`. Rows with a NULL in their key are left out: sessions never see them. */
export function readChunk(database: DatabaseSync, options: ChunkOptions): SnapshotChunk {
  const { drafts, bytes, isLast } = readDrafts(database, options, 'plain') ?? readDrafts(database, options, 'exact') ?? { drafts: [], bytes: 0, isLast: true }
  const last = drafts.at(-1)
  return { events: toEvents(drafts, options), through: options.through, last: last === undefined ? undefined : keyText(last.key), bytes, isLast }
}

interface DraftChunk {
  readonly drafts: readonly RowDraft[]
  readonly bytes: number
  readonly isLast: boolean
}

/** `undefined`: a text may have been damaged on its way, so read the chunk again in the other form. */
function readDrafts(database: DatabaseSync, { request: { after, limit }, images }: ChunkOptions, form: TextForm): DraftChunk | undefined {
  const parameters = after === undefined ? [] : keyParameters(after, images.table.key.length)
  const drafts: RowDraft[] = []
  let bytes = 0
  for (const row of eachRow(prepareRaw(database, chunkSql(images, form, parameters)), parameters)) {
    const draft = images.snapshot(row, form)
    if (draft === undefined) return undefined
    if (drafts.length > 0 && (drafts.length >= limit.events || bytes + draft.bytes > limit.bytes)) return { drafts, bytes, isLast: false }
    drafts.push(draft)
    bytes += draft.bytes
  }
  return { drafts, bytes, isLast: true }
}

function chunkSql(images: RowImages, form: TextForm, after: readonly Parameter[]): string {
  const { table } = images
  const keys = table.keyOrder?.map((column) => collated(`s.${quote(column.name)}`, column)) ?? table.key.map((name) => `s.${quote(name)}`)
  const conditions = table.key.map((name) => `s.${quote(name)} IS NOT NULL`)
  // The plain form for one column: it uses an index on every version.
  if (after.length > 0) conditions.push(keys.length === 1 ? `${keys.join('')} > ?` : `(${keys.join(', ')}) > (${keys.map(() => '?').join(', ')})`)
  return `SELECT ${images.expressions(form)} FROM ${quoteTable({ schema: 'main', name: table.name })} AS s WHERE ${conditions.join(' AND ')} ORDER BY ${keys.join(', ')}`
}

function toEvents(drafts: readonly RowDraft[], { images, through, sourceName, receivedAtMs }: ChunkOptions): readonly ChangeEvent[] {
  const at = printPosition(through)
  const table = images.table.name
  return drafts.map((draft, index) => {
    const tx = { id: `${at}:${table}`, sequence: index, last: index === drafts.length - 1, committedAtMs: undefined, origin: undefined }
    // The key's digest, since ids are shown where values may not be.
    const digest = createHash('sha256').update(keyText(draft.key)).digest('base64url').slice(0, 22)
    return toEvent(draft, { sourceName, position: through, receivedAtMs, tx, id: `${sourceName}:snapshot:${at}:${table}:${digest}` })
  })
}
