import { PacketFramer } from './packet-framer.ts'
import { CellRanges } from './cell-ranges.ts'

/** Rows of a whole result as strings, for catalogue queries. */
export function readTextRows(bytes: Buffer): readonly (readonly (string | null)[])[] {
  const rows: (string | null)[][] = []
  const ranges = new CellRanges()
  const framer = new PacketFramer((buffer, start, end) => {
    ranges.read(buffer, start, end)
    rows.push(Array.from({ length: ranges.count }, (_, i) => ranges.text(buffer, i)))
  })
  framer.push(bytes)
  return rows
}
