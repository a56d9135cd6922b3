import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { errnoOf, toMysqlError } from './errors.ts'

function driverError(fields: object): Error {
  return Object.assign(new Error('Duplicate entry \'hunter2\' for key'), { sql: 'SELECT \'hunter2\'', sqlMessage: 'near hunter2' }, fields)
}

describe('toMysqlError', () => {
  it.each([
    [{ code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }, 'connect', 'SOURCE_AUTH_FAILED'],
    [{ code: 'ER_BAD_DB_ERROR', errno: 1049 }, 'connect', 'SOURCE_AUTH_FAILED'],
    [{ code: 'ER_DBACCESS_DENIED_ERROR', errno: 1044 }, 'query', 'SOURCE_PERMISSION_DENIED'],
    [{ code: 'ER_NO_SUCH_TABLE', errno: 1146 }, 'query', 'TABLE_UNKNOWN'],
    [{ code: 'ER_BAD_FIELD_ERROR', errno: 1054 }, 'query', 'COLUMN_UNKNOWN'],
    [{ code: 'ER_LOCK_WAIT_TIMEOUT', errno: 1205 }, 'query', 'SOURCE_BUSY'],
    [{ code: 'ER_LOCK_NOWAIT', errno: 3572 }, 'query', 'SOURCE_BUSY'],
    [{ code: 'ER_QUERY_TIMEOUT', errno: 3024 }, 'query', 'TIMEOUT'],
    [{ code: 'ER_STATEMENT_TIMEOUT', errno: 1969 }, 'query', 'TIMEOUT'],
    [{ code: 'ECONNREFUSED', errno: -111 }, 'connect', 'SOURCE_UNREACHABLE'],
    [{ code: 'PROTOCOL_CONNECTION_LOST' }, 'query', 'SOURCE_UNREACHABLE'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'connect', 'SOURCE_TLS_FAILED'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'connect', 'SOURCE_TLS_FAILED'],
    [{ code: 'HANDSHAKE_NO_SSL_SUPPORT' }, 'connect', 'SOURCE_TLS_FAILED'],
    [{ code: 'ER_SOMETHING_NEW', errno: 9999 }, 'query', 'SOURCE_FAILED'],
  ] as const)('%j', (fields, phase, code) => {
    const error = toMysqlError(driverError(fields), phase)
    expect(error).toMatchObject({ code, detail: fields.code })
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })

  it('keeps the server\'s number for those who ask', () => {
    expect(errnoOf(toMysqlError(driverError({ code: 'ER_LOCK_NOWAIT', errno: 3572 }), 'query'))).toBe(3572)
    expect(errnoOf(toMysqlError('thrown text', 'query'))).toBeUndefined()
  })
})
