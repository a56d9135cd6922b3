import { isDeepStrictEqual } from 'node:util'
import { CAPABILITIES, type Capability } from './capability.ts'
import { expectedStory } from './expected.ts'
import { LACKS, type Lack } from './lack.ts'
import type { MatrixRuntimeName } from './matrix-runtime.ts'
import type { Told, ToldStory } from './told.ts'

/** One field of the table. */
export interface Verdict {
  readonly capability: Capability
  /** How many parts there are, and how many of them did what they must, or are lacks. */
  readonly parts: number
  readonly passed: number
  readonly lacks: readonly Lack[]
  readonly gaps: readonly string[]
}

/** Compares what a runtime has told with what every runtime must tell. */
export function judge(runtime: MatrixRuntimeName, chapters: ToldStory['chapters'], entries: readonly string[]): readonly Verdict[] {
  const expected = expectedStory(entries)
  return CAPABILITIES.map((capability) => {
    const parts = Object.entries(expected[capability])
    const lacks = LACKS.filter((lack) => lack.runtime === runtime && lack.capability === capability)
    const gaps = parts.flatMap(([part, saw]) => gapOf(part, { told: chapters[capability][part], saw, lack: lacks.find((one) => one.part === part) }))
    const unknown = Object.keys(chapters[capability]).filter((part) => !(part in expected[capability])).map((part) => `${part}: nothing is expected of it.`)
    return { capability, parts: parts.length, passed: parts.length - gaps.length - lacks.length, lacks, gaps: [...gaps, ...unknown] }
  })
}

function gapOf(part: string, { told, saw, lack }: { readonly told: Told | undefined; readonly saw: unknown; readonly lack: Lack | undefined }): readonly string[] {
  if (told === undefined) return [`${part}: was not told.`]
  if ('refused' in told) return told.refused === lack?.code ? [] : [`${part}: ${told.refused}\n${told.message}`]
  if (lack !== undefined) return [`${part}: works now, though it should be refused with ${lack.code}: ${lack.reason}`]
  return isDeepStrictEqual(told.saw, saw) ? [] : [`${part}: told\n${JSON.stringify(told.saw)}\nnot\n${JSON.stringify(saw)}`]
}
