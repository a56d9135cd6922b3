import type { RenderOptions } from '@tidemark/core/adapter'
import type { GroupsPage, ReadGroupsRequest } from '../block-reader.ts'
import type { ExportedTable } from '../exported-table.ts'

/** Renders rows of a copy of the database somewhere else than in this thread, in the order in which it is asked. */
export interface BlockRenderer extends AsyncDisposable {
  /** Ends early, behind any row, once it has `bytes`. Rejects when it can't go on for whatever reason: the rows are then read here, and the reason told. */
  render(request: RenderRequest): Promise<GroupsPage>
}

export interface RenderRequest extends ReadGroupsRequest {
  /** Index in {@link RenderersRequest.tables}. */
  readonly table: number
}

/** Plain data. */
export interface RenderersRequest {
  /** As `SnapshotStore.create` gave it. */
  readonly token: string
  readonly tables: readonly ExportedTable[]
  readonly render: RenderOptions
}
