/** Turns `SRC-40.*` into the ids of that group; other ids stay. A group without members throws. */
export function expandIds(ids: readonly string[], cases: readonly { readonly id: string }[]): readonly string[] {
  return ids.flatMap((id) => {
    if (!id.endsWith('.*')) return [id]
    const group = cases.map((one) => one.id).filter((one) => one.startsWith(id.slice(0, -1)))
    if (group.length === 0) throw new TypeError(`No case is in the group ${id}.`)
    return group
  })
}
