/** Kinds of root nodes that do not write. */
const READS: ReadonlySet<string> = new Set(['SelectQueryNode'])

/** What of Kysely's plugin interface is used (kysely.dev, `KyselyPlugin`). */
export interface KyselyNudge {
  transformQuery<Node>(args: { readonly node: Node; readonly queryId: object }): Node
  transformResult<Result>(args: { readonly result: Result; readonly queryId: object }): Promise<Result>
}

/** A Kysely plugin that changes neither query nor result, and calls `nudge` after each statement that may have written. */
export function kyselyNudge(nudge: () => void): KyselyNudge {
  const writes = new WeakSet<object>()
  return {
    transformQuery: ({ node, queryId }) => {
      const isRead = typeof node === 'object' && node !== null && 'kind' in node && READS.has(String(node.kind))
      if (!isRead) writes.add(queryId)
      return node
    },
    transformResult: ({ result, queryId }) => {
      if (writes.delete(queryId)) nudge()
      return Promise.resolve(result)
    },
  }
}
