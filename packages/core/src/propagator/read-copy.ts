import type { LogPosition } from '../change/log-position.ts'
import type { SliceLimit } from '../dialect/change-source.ts'
import type { PeerChunk, PeerSender, PeerTable, RowVersions } from '../dialect/propagation-target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { abortable } from '../util/abortable.ts'
import { parseCopyCursor, printCopyCursor } from './copy-cursor.ts'
import { toPeerTable } from './described-tables.ts'
import { keyOf, rowOf } from './make-unit.ts'
import type { OpenLog } from './open-log.ts'

export interface CopyRequest {
  readonly sender: PeerSender
  readonly table: string
  /** The cursor of the peer's last chunk. */
  readonly after: string | null
  readonly limit: SliceLimit
  /** Of the rows of this instance, where several write. */
  readonly versions: RowVersions | undefined
}

/** The next piece of a table's copy. */
export interface CopyPiece {
  /** Its rows stood so at this place: the peer must have all of the log up to there. */
  readonly through: LogPosition
  /** What is sent once the peer has: by then all changes up to there have their versions. */
  chunk(): Promise<PeerChunk>
}

/** Reads the piece behind the cursor. Errors: `TABLE_UNKNOWN`, `PEER_ANSWER_INVALID` for a cursor that is none, the source's. */
export async function readCopy(log: OpenLog, request: CopyRequest, signal: AbortSignal): Promise<CopyPiece> {
  const { part, after: behind } = parseCopyCursor(request.after)
  const described = log.tables.current.find(({ name }) => name === request.table)
  if (described === undefined) throw unknownTable(request)
  const table = toPeerTable(described)
  return part === 'rows' ? readRows(log, { ...request, table, behind, signal }) : readTombstones(log, { ...request, table, behind, signal })
}

interface PartRequest extends Omit<CopyRequest, 'table'> {
  readonly table: PeerTable
  /** Where the part goes on; `null`: at its beginning. */
  readonly behind: string | null
  readonly signal: AbortSignal
}

async function readRows({ connection }: OpenLog, { sender, table, after, behind, limit, versions, signal }: PartRequest): Promise<CopyPiece> {
  if (connection.readChunk === undefined) throw unknownTable({ table: table.name })
  const { events, through, isLast, last } = await abortable(connection.readChunk({ table: table.name, after: behind ?? undefined, limit, signal }), signal)
  const isEnd = isLast || last === undefined
  return {
    through,
    chunk: async () => ({
      type: 'chunk', ...sender, table, at: through, after,
      next: isEnd ? await firstTombstone(table, versions) : printCopyCursor({ part: 'rows', after: last }),
      rows: events.map((event) => rowOf(table, event.after ?? {})),
      versions: await versions?.versionsOf(table, events.map((event) => keyOf(table, event.key)), through),
      tombstones: [],
    }),
  }
}

/** Where several instances write, rows that are gone follow those that are there; `null` where there are none. */
async function firstTombstone(table: PeerTable, versions: RowVersions | undefined): Promise<string | null> {
  const first = await versions?.tombstones(table, { after: null, limit: { events: 1, bytes: 1 } })
  return first === undefined || first.tombstones.length === 0 ? null : printCopyCursor({ part: 'tombstones', after: null })
}

/** Each stands for itself, as it has a version: one that is newer than the place comes by the log once more, and is no news then. */
async function readTombstones({ connection }: OpenLog, { sender, table, after, behind, limit, versions, signal }: PartRequest): Promise<CopyPiece> {
  const through = await connection.head({ signal })
  return {
    through,
    chunk: async () => {
      const page = await versions?.tombstones(table, { after: behind, limit })
      const next = page === undefined || page.next === null ? null : printCopyCursor({ part: 'tombstones', after: page.next })
      return { type: 'chunk', ...sender, table, at: through, after, next, rows: [], versions: [], tombstones: page?.tombstones ?? [] }
    },
  }
}

function unknownTable({ table }: { readonly table: string }): TidemarkError {
  return new TidemarkError('TABLE_UNKNOWN', `The source does not capture a table '${table}'.`)
}
