/**
 * The variable-length integers of the file format ("A variable-length integer or varint"): seven bits a byte, most
 * significant first, high bit set on all but the last; a ninth byte carries eight bits.
 */

/** Bytes of a varint that is known to be below 2^32: sizes, serial types, page numbers. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  return value < 0x10000000 ? 4 : 5
}

/** Writes a varint below 2^32 and returns the place after it. */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    into[at] = value
    return at + 1
  }
  if (value < 0x4000) {
    into[at] = (value >>> 7) | 0x80
    into[at + 1] = value & 0x7f
    return at + 2
  }
  return writeRowid(into, at, 0, value)
}

/** Bytes of the varint of a 64-bit rowid, given in two halves so that none beyond 2^53 needs a bigint; negative ones take all nine. */
export function rowidBytes(hi: number, lo: number): number {
  if (hi === 0) return varintBytes(lo)
  if (hi < 0) return 9
  if (hi < 0x8) return 5
  if (hi < 0x400) return 6
  if (hi < 0x20000) return 7
  return hi < 0x1000000 ? 8 : 9
}

/** Writes a rowid and returns the place after it. `lo` is unsigned. */
export function writeRowid(into: Uint8Array, at: number, hi: number, lo: number): number {
  if (hi === 0 && lo < 0x4000) return writeVarint(into, at, lo)
  const bytes = rowidBytes(hi, lo)
  let place = at + bytes - 1
  if (bytes === 9) {
    // The ninth byte carries eight bits, and the one before it begins above them.
    into[place] = lo & 0xff
    lo = ((lo >>> 8) | (hi << 24)) >>> 0
    hi >>>= 8
    place -= 1
    into[place] = (lo & 0x7f) | 0x80
  } else into[place] = lo & 0x7f
  for (place -= 1; place >= at; place -= 1) {
    lo = ((lo >>> 7) | (hi << 25)) >>> 0
    hi >>>= 7
    into[place] = (lo & 0x7f) | 0x80
  }
  return at + bytes
}
