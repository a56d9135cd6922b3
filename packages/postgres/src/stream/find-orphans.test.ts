import { describe, expect, it } from 'vitest'
import { findOrphans, type SlotFacts } from './find-orphans.ts'

const slot = (name: string, other: Partial<SlotFacts> = {}): SlotFacts => ({ name, plugin: 'pgoutput', temporary: false, active: false, retained: 7, inactiveSince: null, ...other })
const mark = (name: string, of = name): { readonly name: string; readonly comment: string } => ({ name, comment: `managed by tidemark for slot ${of}` })

describe('an orphan', () => {
  it('is a slot with all publications that were made with it, or these alone', () => {
    const found = findOrphans({ publications: [mark('a'), mark('b', 'a'), mark('c')], slots: [slot('a', { inactiveSince: '1700000000000' })] }, [])
    expect(found).toEqual([
      { slot: 'a', hasSlot: true, publications: ['a', 'b'], retainedBytes: 7, inactiveSinceMs: 1_700_000_000_000 },
      { slot: 'c', hasSlot: false, publications: ['c'], retainedBytes: 0, inactiveSinceMs: undefined },
    ])
  })

  it.each<readonly [string, Partial<SlotFacts>]>([['read', { active: true }], ['temporary', { temporary: true }], ['of another plugin', { plugin: 'wal2json' }], ['physical', { plugin: null }]])('is none that is %s', (_, other) => {
    expect(findOrphans({ publications: [mark('a')], slots: [slot('a', other)] }, [])).toEqual([])
  })

  it('is none that is in use, or of which only the name is like ours', () => {
    expect(findOrphans({ publications: [mark('a'), { name: 'tidemark_b', comment: null }], slots: [slot('a'), slot('tidemark_b'), slot('managed_by_tidemark')] }, ['a'])).toEqual([])
  })
})
