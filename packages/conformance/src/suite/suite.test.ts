import { describe, expect, test } from 'vitest'
import { equal } from '../assert/equal.ts'
import { CHANGE_CASES } from '../changes/change-suite.ts'
import { memorySourceSubject } from '../memory/memory-source-subject.ts'
import { SOURCE_CASES } from '../source/source-suite.ts'
import { TARGET_CASES } from '../target/target-suite.ts'
import { defineSuite } from './define-suite.ts'
import { nodeTestRunner } from './node-test-runner.ts'
import { runCases } from './run-cases.ts'
import { selectCases } from './select-cases.ts'

const { traits } = memorySourceSubject()

describe('selecting cases', () => {
  test('an unknown id throws instead of running nothing', () => {
    expect(() => selectCases(SOURCE_CASES, traits, { only: ['SRC-21', 'SRC-2l'] })).toThrow('SRC-2l')
  })

  test('a selection of which nothing applies throws', () => {
    expect(() => selectCases(SOURCE_CASES, traits, { only: ['SRC-83'] })).toThrow('applies')
    expect(() => selectCases(SOURCE_CASES, traits, { only: [] })).toThrow('applies')
  })

  test('ids are unique and of one form', () => {
    const ids = [...SOURCE_CASES, ...TARGET_CASES, ...CHANGE_CASES].map((one) => one.id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter((id) => !/^(?:(?:SRC|TGT)-\d\d|CHG-\d{3})(?:\.[\w.-]+)?$/u.test(id))).toEqual([])
  })
})

describe('running without a test runner', () => {
  test('says of each case what came of it', async () => {
    const results = await runCases(SOURCE_CASES, memorySourceSubject(), { only: ['SRC-21', 'SRC-83'] })
    expect(results.map(({ id, status }) => [id, status])).toEqual([['SRC-21', 'passed'], ['SRC-83', 'not-applicable']])
  })
})

describe('the binding for node:test', () => {
  test('registers what applies and skips the rest with its reason', async () => {
    const registered: { name: string; skip: string | undefined; body: () => Promise<void> }[] = []
    const runner = nodeTestRunner({
      describe: (_name, body) => body(),
      test: (name, { skip }, body) => registered.push({ name, skip, body }),
    })
    defineSuite(runner, { title: 'source', cases: SOURCE_CASES }, memorySourceSubject(), { only: ['SRC-21', 'SRC-83'] })
    expect(registered.map((one) => [one.name.slice(0, 6), one.skip])).toEqual([['SRC-21', undefined], ['SRC-83', 'the source streams rows']])
    await registered[0]?.body()
  })
})

describe('equal', () => {
  test.each([[1, 1n], ['1', 1], [null, undefined], [[1], [1, 1]], [Uint8Array.of(1), [1]], [{ a: 1 }, { a: 1, b: 2 }], [0, -0]])('%s is not %s', (left, right) => {
    expect(() => equal(left, right, 'sides')).toThrow()
  })

  test.each([[{ a: 1, b: undefined }, { a: 1 }], [Uint8Array.of(1, 2), Uint8Array.of(1, 2)], [{ a: 1, b: 2 }, { b: 2, a: 1 }]])('%s is %s', (left, right) => {
    equal(left, right, 'sides')
  })
})
