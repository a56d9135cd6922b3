import { describe, expect, it } from 'vitest'
import { r2Error } from './r2-error.ts'

describe('an error of R2', () => {
  it('is known by its number', () => {
    expect(r2Error(new Error('put: We encountered an internal error. Please try again. (10001)'))).toMatchObject({ code: 'STORAGE_BUSY', retryable: true, detail: 'R2 10001' })
    expect(r2Error(new Error('get: Something new about key "secret". (10999)'))).toMatchObject({ code: 'STORAGE_FAILED', message: 'R2 reported an error (R2 10999).' })
  })

  it('that has none is one of the way to it, unless the call was wrong', () => {
    expect(r2Error(new Error('Network connection lost.'))).toMatchObject({ code: 'STORAGE_UNREACHABLE', retryable: true, detail: 'Error' })
    expect(r2Error(new TypeError('Provided readable stream must have a known length'))).toMatchObject({ code: 'STORAGE_FAILED', retryable: false })
  })
})
