import { TidemarkError, type PeerAnswer } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { TableFailed } from './table-failed.ts'
import { withoutCulprit } from './without-culprit.ts'

const ANSWER: PeerAnswer = { outcome: 'applied', origin: undefined, at: null, isCommit: true, tables: {} }
const error = new TidemarkError('TARGET_CONSTRAINT', 'no')

/** What was left out in the end, and in how many tries. */
async function find(bad: readonly string[], options: { readonly tables?: readonly string[]; readonly failed?: readonly string[]; readonly thrown?: () => Error; readonly passesAt?: number } = {}): Promise<readonly [string, number]> {
  const { tables = ['a', 'b', 'c'], failed = [], thrown = () => error, passesAt = Number.POSITIVE_INFINITY } = options
  let tries = 0
  let left = ''
  const attempt = async (without: ReadonlyMap<string, TidemarkError>): Promise<PeerAnswer> => {
    tries += 1
    left = [...without.keys()].join()
    if (tries < passesAt && bad.some((table) => !without.has(table))) throw thrown()
    return ANSWER
  }
  const outcome = await withoutCulprit(attempt, { failed: new Map(failed.map((name) => [name, error])), error, tables }).then(() => left, (reason: { readonly code: string }) => reason.code)
  return [outcome, tries]
}

describe('finding the table that a database refuses', () => {
  it('leaves out the one, all where it is more than one, and none where it has passed', async () => {
    expect(await find(['b'])).toEqual(['b', 3])
    expect(await find(['a', 'c'])).toEqual(['a,b,c', 5])
    expect(await find(['a'], { tables: ['a'] })).toEqual(['a', 2])
    expect(await find(['a'], { passesAt: 1 })).toEqual(['', 1])
  })

  it('keeps those left out that were so before', async () => {
    expect(await find(['b'], { failed: ['a'] })).toEqual(['a,b', 2])
  })

  it('gives up where none is it, and at once where something else is wrong', async () => {
    expect(await find(['elsewhere'])).toEqual(['TARGET_CONSTRAINT', 5])
    expect(await find(['b'], { thrown: () => new TidemarkError('TARGET_FULL', 'no room') })).toEqual(['TARGET_FULL', 1])
    expect(await find(['b'], { thrown: () => new TableFailed('b', error) })).toEqual(['b', 3])
  })
})
