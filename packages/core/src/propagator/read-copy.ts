import type { LogPosition } from '../change/log-position.ts'
import type { SliceLimit } from '../dialect/change-source.ts'
import type { PeerChunk, PeerSender, PeerTable, RowVersions, Tombstone } from '../dialect/propagation-target.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import { abortable } from '../util/abortable.ts'
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

/** Reads the piece behind the cursor. Errors: `TABLE_UNKNOWN`, the source's. */
export async function readCopy(log: OpenLog, request: CopyRequest, signal: AbortSignal): Promise<CopyPiece> {
  const { sender, table, after, limit, versions } = request
  const described = log.tables.current.find(({ name }) => name === table)
  if (log.connection.readChunk === undefined || described === undefined) throw new TidemarkError('TABLE_UNKNOWN', `The source does not capture a table '${table}'.`)
  const { events, through, isLast, last } = await abortable(log.connection.readChunk({ table, after: after ?? undefined, limit, signal }), signal)
  const peerTable = toPeerTable(described)
  const next = isLast ? null : last ?? null
  return {
    through,
    chunk: async () => ({
      type: 'chunk', ...sender, table: peerTable, at: through, after, next,
      rows: events.map((event) => rowOf(peerTable, event.after ?? {})),
      versions: await versions?.versionsOf(peerTable, events.map((event) => keyOf(peerTable, event.key))),
      tombstones: next === null && versions !== undefined ? await allTombstones(versions, peerTable) : [],
    }),
  }
}

const TOMBSTONES_PER_QUERY = 1_000

async function allTombstones(versions: RowVersions, table: PeerTable): Promise<readonly Tombstone[]> {
  const all: Tombstone[] = []
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<RowVersions['tombstones']>> = await versions.tombstones(table, { after, limit: TOMBSTONES_PER_QUERY })
    all.push(...page.tombstones)
    if (page.next === null) return all
    after = page.next
  }
}
