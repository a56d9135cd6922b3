import type { TidemarkError } from '@tidemark/core'
import { fileSpool } from '@tidemark/node'
import { describe, expect, it } from 'vitest'
import { postgresChanges } from '../postgres-changes.ts'
import { streamingSettings } from './streaming-settings.ts'

const MIB = 1024 * 1024

/** Paths of what is wrong with them. */
function wrong(streaming: unknown): readonly string[] {
  try {
    postgresChanges({ url: 'postgres://anyone@localhost/any', slot: 'slot', tables: ['items'], streaming: streaming as boolean }) // on purpose, of any type
    return []
  } catch (error) {
    return (error as TidemarkError).issues.map(({ path }) => path) // or the test fails
  }
}

describe('options of streaming', () => {
  it('have defaults, and are off', () => {
    expect(streamingSettings(undefined)).toBeUndefined()
    expect(streamingSettings(false)).toBeUndefined()
    expect(streamingSettings(true)).toEqual({ memoryBytes: 16 * MIB, maxSpoolBytes: 1024 * MIB, spool: undefined })
    expect(streamingSettings({ memoryBytes: 2 * MIB })).toEqual({ memoryBytes: 2 * MIB, maxSpoolBytes: 1024 * MIB, spool: undefined })
  })

  it('are refused where they are wrong, before anything is opened', () => {
    expect(wrong(true)).toEqual([])
    expect(wrong({ memoryBytes: MIB, spool: fileSpool(), maxSpoolBytes: 1 })).toEqual([])
    expect(wrong('on')).toEqual(['streaming'])
    expect(wrong([])).toEqual(['streaming'])
    expect(wrong(null)).toEqual(['streaming'])
    expect(wrong({ memoryBytes: MIB - 1, spool: {}, maxSpoolBytes: 0 })).toEqual(['streaming.memoryBytes', 'streaming.maxSpoolBytes', 'streaming.spool'])
    expect(wrong({ memoryBytes: Infinity, maxSpoolBytes: 1 })).toEqual(['streaming.memoryBytes', 'streaming.maxSpoolBytes'])
  })
})
