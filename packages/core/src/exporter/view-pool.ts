import type { ExportConnection, ExportSource, ExportView } from '../dialect/export-source.ts'
import { TidemarkError } from '../errors/tidemark-error.ts'
import type { ExportState } from './export-state.ts'

interface Entry {
  readonly connection: ExportConnection
  view: ExportView | undefined
  viewId: string | undefined
}

/** Connections and views kept open between the steps of a job: some snapshots live no longer than the connection that made them. */
export class ViewPool implements AsyncDisposable {
  readonly #source: ExportSource
  readonly #entries = new Map<string, Entry>()

  constructor(source: ExportSource) {
    this.#source = source
  }

  async connection(id: string, signal: AbortSignal): Promise<ExportConnection> {
    return (await this.#entry(id, signal)).connection
  }

  /** The job's view, opened when it is first needed. Errors: as `ExportConnection.openView`. */
  async view({ id, view: ref, spec }: ExportState, signal: AbortSignal): Promise<ExportView> {
    if (ref === undefined) throw new TidemarkError('INTERNAL', 'The export has no view yet.')
    const entry = await this.#entry(id, signal)
    if (entry.view !== undefined && entry.viewId === ref.viewId) return entry.view
    await entry.view?.[Symbol.asyncDispose]()
    entry.view = undefined
    entry.view = await entry.connection.openView({ ref, selection: spec.selection, render: spec.render, signal })
    entry.viewId = ref.viewId
    return entry.view
  }

  /** The job's view, if it is open already. */
  opened({ id, view: ref }: Pick<ExportState, 'id' | 'view'>): ExportView | undefined {
    const entry = this.#entries.get(id)
    return entry?.viewId === ref?.viewId ? entry?.view : undefined
  }

  /** Jobs that have something open. */
  get ids(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /**
   * What was not kept ends with the slice, however that ended: at the source it may hold up others, such as the log of a SQLite file, and when the next slice
   * comes nobody knows. Without a view the connection may hold one that was made and not opened.
   */
  async endSlice(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    if (entry !== undefined && (entry.view === undefined || entry.view.keep !== undefined)) await this.release(id)
  }

  /** Closes what the job has open. What was broken already has nothing more to say. */
  async release(id: string): Promise<void> {
    const entry = this.#entries.get(id)
    this.#entries.delete(id)
    if (entry === undefined) return
    for (const open of [entry.view, entry.connection]) await closeQuietly(open)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of Array.from(this.#entries.keys())) await this.release(id)
  }

  async #entry(id: string, signal: AbortSignal): Promise<Entry> {
    const open = this.#entries.get(id)
    if (open !== undefined) return open
    const entry: Entry = { connection: await this.#source.connectExport({ signal }), view: undefined, viewId: undefined }
    this.#entries.set(id, entry)
    return entry
  }
}

async function closeQuietly(open: AsyncDisposable | undefined): Promise<void> {
  try {
    await open?.[Symbol.asyncDispose]()
  } catch {
    // It was released because it is broken, or is not needed any more: nobody could do anything about it.
  }
}
