import type { ExportSection } from '../dialect/export-source.ts'
import { newStream, type ExportSpec, type StreamState } from './export-state.ts'

/**
 * What is written in order. A single SQL dump is one stream; everything else has one for each table, with the definitions
 * before and after in streams of their own.
 */
export function planStreams(spec: Pick<ExportSpec, 'format' | 'layout'>, sections: readonly ExportSection[]): readonly StreamState[] {
  if (spec.format === 'sql' && spec.layout === 'single') return [newStream({ role: 'dump', table: undefined, from: 0, to: sections.length })]
  const streams: StreamState[] = []
  sections.forEach((section, index) => {
    const last = streams.at(-1)
    if (section.kind === 'rows') streams.push(newStream({ role: 'rows', table: section.table, from: index, to: index + 1 }))
    else if (last?.role === section.role) streams[streams.length - 1] = { ...last, to: index + 1 }
    else streams.push(newStream({ role: section.role, table: undefined, from: index, to: index + 1 }))
  })
  return streams
}
