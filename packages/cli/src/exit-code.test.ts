import { ERRORS, type ErrorCode } from '@tidemark/core'
import { expect, test } from 'vitest'
import { exitCodeOf, exitCodeOfAll } from './exit-code.ts'

test.each<[ErrorCode, number]>([
  ['CONFIG_INVALID', 2], ['SECRET_MISSING', 2], ['SOURCE_UNREACHABLE', 3], ['SOURCE_AUTH_FAILED', 3], ['SOURCE_TLS_FAILED', 3], ['TARGET_FULL', 4],
  ['TARGET_NOT_OWNED', 4], ['STATE_NEWER', 4], ['ABORTED', 130], ['TABLE_UNKNOWN', 1], ['LEASE_HELD', 1], ['INTERNAL', 1],
])('%s ends with %d', (code, exit) => {
  expect(exitCodeOf(code)).toBe(exit)
})

test('no error ends with success', () => {
  // Object.keys forgets the key type.
  const codes = Object.keys(ERRORS) as ErrorCode[]
  expect(codes.map(exitCodeOf)).not.toContain(0)
})

test('failures that agree keep their code, others are a failed sync', () => {
  expect([exitCodeOfAll([]), exitCodeOfAll(['SOURCE_AUTH_FAILED', 'SOURCE_UNREACHABLE']), exitCodeOfAll(['SOURCE_AUTH_FAILED', 'TABLE_UNKNOWN'])]).toEqual([0, 3, 1])
})
