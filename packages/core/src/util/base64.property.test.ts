import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase64 } from './base64.ts'
import { fromBase64 } from './from-base64.ts'

describe('base64', () => {
  it('gives the bytes back, as the host writes them', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      const text = toBase64(bytes)
      expect(text).toBe(btoa(String.fromCharCode(...bytes)))
      expect(fromBase64(text)).toEqual(bytes)
      expect(fromBase64(text.replaceAll('=', ''))).toEqual(bytes)
    }))
  })

  it.each(['a', 'abcde', 'ab=', 'a===', 'ab-_', 'ab c', 'abÿ=', '====', 'ab=c'])('knows that %j is none', (text) => {
    expect(fromBase64(text)).toBeUndefined()
  })
})
