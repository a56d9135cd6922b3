import type { ExportBlock } from '@tidemark/core/adapter'
import { parseCursor } from '../block-cursor.ts'
import { BlockReader, GROUP_ROWS, type GroupsPage } from '../block-reader.ts'
import { textReading } from '../text-reading.ts'
import type { RenderersRequest, RenderRequest } from './block-renderer.ts'
import { GroupReader, type RenderQuery } from './group-reader.ts'

/** How many bytes of rows that are looked at one by one are held as texts at a time. */
const PAGE_BYTES = 262_144

interface Readers {
  readonly groups: GroupReader | undefined
  readonly rows: BlockReader
}

/** What a renderer does, in the thread where it is. */
export class DriverRenderer {
  readonly #request: RenderersRequest
  readonly #query: RenderQuery
  readonly #readers = new Map<number, Readers>()

  constructor(request: RenderersRequest, query: RenderQuery) {
    this.#request = request
    this.#query = query
  }

  /** Errors: as the driver's. */
  async render({ table, after, toRow = Number.MAX_SAFE_INTEGER, bytes }: RenderRequest): Promise<GroupsPage> {
    const readers = this.#readersOf(table)
    const blocks: ExportBlock[] = []
    for (let length = 0, place = after; ;) {
      const page = await readGroup(readers, place)
      blocks.push(...page.blocks)
      length += page.blocks.reduce((sum, block) => sum + block.bytes.length, 0)
      place = page.blocks.at(-1)?.last ?? place
      if (page.isLast || page.row >= toRow || length >= bytes) return { ...page, blocks }
    }
  }

  #readersOf(index: number): Readers {
    const { tables, render } = this.#request
    const table = tables[index]
    if (table === undefined) throw new RangeError('There is no table of this number.')
    const options = { table, render, query: this.#query }
    const readers = this.#readers.get(index) ?? { groups: GroupReader.reads(table) ? new GroupReader(options) : undefined, rows: new BlockReader({ ...options, reading: textReading('string', 'UTF-8') }) }
    this.#readers.set(index, readers)
    return readers
  }
}

/** To the end of the group, or less where its rows are looked at one by one. */
async function readGroup({ groups, rows }: Readers, after: string | undefined): Promise<GroupsPage> {
  const { key, piece, rows: row } = parseCursor(after)
  const isBegin = piece === 0 && row % GROUP_ROWS === 0
  const group = isBegin && key !== undefined ? await groups?.read({ key, row }) : undefined
  return group ?? rows.read({ after, bytes: PAGE_BYTES, toRow: (Math.floor(row / GROUP_ROWS) + 1) * GROUP_ROWS })
}
