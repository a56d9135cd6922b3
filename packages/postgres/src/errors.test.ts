import { inspect } from 'node:util'
import { TidemarkError } from '@tidemark/core/adapter'
import { describe, expect, it } from 'vitest'
import { mapPostgresError } from './errors.ts'

describe('mapPostgresError', () => {
  it.each([
    ['28P01', 'SOURCE_AUTH_FAILED'], ['28000', 'SOURCE_AUTH_FAILED'], ['3D000', 'SOURCE_AUTH_FAILED'], ['42501', 'SOURCE_PERMISSION_DENIED'],
    ['42P01', 'TABLE_UNKNOWN'], ['42703', 'COLUMN_UNKNOWN'], ['57P01', 'SOURCE_BUSY'], ['57P03', 'SOURCE_BUSY'], ['53300', 'SOURCE_BUSY'],
    ['40001', 'SOURCE_BUSY'], ['40P01', 'SOURCE_BUSY'], ['08006', 'SOURCE_UNREACHABLE'], ['57014', 'TIMEOUT'], ['0A000', 'NOT_SUPPORTED'],
    ['22012', 'SOURCE_FAILED'], ['XX000', 'SOURCE_FAILED'], ['ECONNREFUSED', 'SOURCE_UNREACHABLE'], ['ENOTFOUND', 'SOURCE_UNREACHABLE'],
    ['ECONNRESET', 'SOURCE_UNREACHABLE'], ['EPIPE', 'SOURCE_UNREACHABLE'], ['CONNECTION_CLOSED', 'SOURCE_UNREACHABLE'], ['CONNECT_TIMEOUT', 'SOURCE_UNREACHABLE'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SOURCE_TLS_FAILED'], ['ERR_TLS_CERT_ALTNAME_INVALID', 'SOURCE_TLS_FAILED'], ['ERR_SSL_WRONG_VERSION_NUMBER', 'SOURCE_TLS_FAILED'],
    ['EMFILE', 'SOURCE_FAILED'],
  ])('maps %s to %s', (engineCode, code) => {
    const original = Object.assign(new Error('canary'), { code: engineCode, query: 'canary', parameters: ['canary'], detail: 'canary', where: 'canary' })
    const error = mapPostgresError(original)
    expect(error.code).toBe(code)
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('canary')
  })

  it('looks into the errors of several addresses and passes its own on', () => {
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    expect(mapPostgresError(new AggregateError([refused])).code).toBe('SOURCE_UNREACHABLE')
    const own = new TidemarkError('TIMEOUT', 'late')
    expect(mapPostgresError(own)).toBe(own)
    expect(mapPostgresError('text').code).toBe('SOURCE_FAILED')
  })
})
