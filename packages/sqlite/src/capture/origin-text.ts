/**
 * What a mark says of a transaction that applied a peer's change: the peer's name, and on further lines what whoever applied it needs to know
 * again when it passes the change on.
 */
export function originText(name: string, detail: string): string {
  return `${name}\n${detail}`
}

/** The name, as `tx.origin` has it. */
export function originName(text: string | undefined): string | undefined {
  return text?.split('\n', 1)[0]
}
