/** As the server prints a view: each table that it reads follows `from` or `join`, with brackets between. */
const READ_NAME = /(?:from|join)[\s(]+`((?:[^`]|``)+)`(?:\.`((?:[^`]|``)+)`)?/giu

/**
 * Statements of views, each behind those of the views that it reads. A text inside a view may look like a name and only adds an
 * order that was not needed; should that make a circle, it is broken at the first name.
 */
export function orderViews(views: ReadonlyMap<string, string>): readonly string[] {
  const done = new Set<string>()
  const ordered: string[] = []
  const visit = (name: string): void => {
    const statement = views.get(name)
    if (statement === undefined || done.has(name)) return
    done.add(name)
    for (const read of namesRead(statement)) visit(read)
    ordered.push(statement)
  }
  for (const name of views.keys()) visit(name)
  return ordered
}

function namesRead(statement: string): readonly string[] {
  return Array.from(statement.matchAll(READ_NAME), ([, first = '', second]) => (second ?? first).replaceAll('``', '`'))
}
