import type { AbortOptions, ExportConnection, ExportSource, ExportView } from '@tidemark/core/adapter'

export interface SourceHooks {
  /** Before each page of statements. */
  readonly onPage?: () => void
  /** Before a view is kept. */
  readonly onKeep?: (options: AbortOptions | undefined) => Promise<void>
}

export interface ObservedSource {
  readonly source: ExportSource
  /** Connections. */
  readonly open: ReadonlySet<unknown>
}

/** A source that tells what it has open and what it is about to do. */
export function observedSource(source: ExportSource, hooks: SourceHooks = {}): ObservedSource {
  const open = new Set<unknown>()
  const connectExport = async (): Promise<ExportConnection> => {
    const connection = await source.connectExport()
    open.add(connection)
    return {
      createView: (request) => connection.createView(request),
      openView: async (request) => observedView(await connection.openView(request), hooks),
      dropView: (ref) => connection.dropView(ref),
      checkIntegrity: () => connection.checkIntegrity(),
      [Symbol.asyncDispose]: async () => {
        open.delete(connection)
        await connection[Symbol.asyncDispose]()
      },
    }
  }
  return { source: { name: source.name, address: source.address, exports: source.exports, connectExport }, open }
}

function observedView(view: ExportView, { onPage, onKeep }: SourceHooks): ExportView {
  const keep = async (options?: AbortOptions): Promise<void> => {
    await onKeep?.(options)
    await view.keep?.(options)
  }
  return {
    plan: view.plan,
    ...(view.keep === undefined ? {} : { keep }),
    readBlocks: (request) => {
      onPage?.()
      return view.readBlocks?.(request) ?? Promise.reject(new Error('The source renders no SQL.'))
    },
    readRows: (request) => view.readRows(request),
    [Symbol.asyncDispose]: () => view[Symbol.asyncDispose](),
  }
}
