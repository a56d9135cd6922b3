import { Exporter, Importer } from '@tidemark/core'
import { memoryStateStore } from '@tidemark/core/testing'
import { nodeSqlite } from '../export/node-sqlite.ts'
import { fsStorage } from '../storage/fs-storage.ts'

/** Exports a file and loads the dump into another, and says how much memory each took at most. */
const [path = '', folder = '', copy = ''] = process.argv.slice(2)

async function peakOf<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly heapMb: number; readonly buffersMb: number }> {
  let [heap, buffers] = [0, 0]
  const timer = setInterval(() => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    heap = Math.max(heap, heapUsed)
    buffers = Math.max(buffers, arrayBuffers)
  }, 10)
  const result = await work()
  clearInterval(timer)
  return { result, heapMb: heap / 1e6, buffersMb: buffers / 1e6 }
}

const storage = fsStorage(folder)
await using exporter = new Exporter({ source: nodeSqlite({ path }), storage, state: memoryStateStore() })
const exported = await peakOf(async () => exporter.finish((await exporter.start()).id))
const imported = await peakOf(() => new Importer({ source: storage, target: nodeSqlite({ path: copy }) }).load(exported.result.exportId))
process.stdout.write(JSON.stringify({
  export: { ...exported, result: { rows: exported.result.totalRowsExported, bytes: exported.result.totalBytesExported } },
  import: { ...imported, result: { rows: imported.result.rows } },
  rssMb: Math.round(process.resourceUsage().maxRSS / 1_024),
}))
