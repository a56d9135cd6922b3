/**
 * Whether a snapshot, as `pg_current_snapshot()` prints it, sees a transaction. The stream gives 32 bits of its number, the snapshot all 64: of two that are the same in
 * 32 bits the one is meant that is nearer, as everywhere in the server.
 */
export function snapshotSees(snapshot: string, xid: number): boolean {
  const [xmin = '', xmax = '', running = ''] = snapshot.split(':')
  const next = BigInt(xmax)
  const number = next - BigInt.asIntN(32, next - BigInt(xid))
  if (number < BigInt(xmin)) return true
  return number < next && !running.split(',').includes(number.toString())
}
