/**
 * A fence is the server's clock when the read was made, in seconds, with the kind of proof in front of it for people:
 * `locks@1767225600`. Locks need no memory of the mark; transactions are told apart by when they began.
 */
export type ProofKind = 'locks' | 'transactions' | 'grace'

export function makeFence(kind: ProofKind, serverSeconds: string): string {
  return `${kind}@${serverSeconds}`
}

/** `undefined` for a fence this package did not make. */
export function fenceSeconds(fence: string): number | undefined {
  const digits = /^(?:locks|transactions|grace)@(\d+)$/u.exec(fence)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
