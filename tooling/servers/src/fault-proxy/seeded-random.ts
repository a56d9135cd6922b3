/**
 * Numbers in [0, 1) that depend on the seed and the stream only. Streams of one seed are independent, so what one
 * connection draws does not move what the next one gets. (Mulberry32 over a MurmurHash3 finalised seed.)
 */
export function seededRandom(seed: number, stream: number): () => number {
  let state = mix(mix(seed | 0) ^ stream)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 4_294_967_296
  }
}

function mix(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}
