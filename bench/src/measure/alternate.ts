/** One side of a comparison: does the whole work once and resolves to what it took. */
export type Side<T> = (run: number) => Promise<T>

export interface Alternated<Ours, Peer> {
  readonly ours: readonly Ours[]
  readonly peer: readonly Peer[]
}

/**
 * A B A B, so that both sides get the same share of whatever else the machine is doing. One round before the count
 * warms the file caches of both.
 */
export async function alternate<Ours, Peer>(ours: Side<Ours>, peer: Side<Peer>, runs: number): Promise<Alternated<Ours, Peer>> {
  const samples = { ours: [] as Ours[], peer: [] as Peer[] }
  for (let run = 0; run <= runs; run += 1) {
    const [oursSample, peerSample] = [await ours(run), await peer(run)]
    if (run === 0) continue
    samples.ours.push(oursSample)
    samples.peer.push(peerSample)
  }
  return samples
}
