import { describe, expect, it } from 'vitest'
import { toBase64Url } from '../util/base64-url.ts'
import { openToken, signDownload } from './download-token.ts'

const secret = 'a secret of thirty-two characters'
const claim = { id: 'export_1', path: 'rows/0001-users-000001.csv', expiresAtMs: 2_000 }

describe('a download token', () => {
  it('gives back what it was made for, until it expires', async () => {
    const token = await signDownload(claim, secret)
    expect(encodeURIComponent(token)).toBe(token)
    await expect(openToken(token, { secret, nowMs: 1_999 })).resolves.toEqual(claim)
    await expect(openToken(token, { secret, nowMs: 2_000 })).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' })
  })

  it('is refused when any character of it is another', async () => {
    const token = await signDownload(claim, secret)
    for (let index = 0; index < token.length; index += 1) {
      // The last character of an unpadded group has bits that mean nothing; two steps change one that does.
      const altered = token.slice(0, index) + String.fromCharCode(token.charCodeAt(index) ^ 4) + token.slice(index + 1)
      await expect(openToken(altered, { secret, nowMs: 0 })).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' })
    }
  })

  it('is refused when it is signed with another secret, or not at all', async () => {
    const forged = toBase64Url(new TextEncoder().encode(JSON.stringify(claim)))
    for (const token of ['', '.', 'a.b.c', forged, `${forged}.`, `${forged}.AAAA`, await signDownload(claim, 'another secret of thirty-two chars')]) {
      await expect(openToken(token, { secret, nowMs: 0 })).rejects.toMatchObject({ code: 'DOWNLOAD_REFUSED' })
    }
  })

  it('needs a secret that can\'t be guessed', async () => {
    await expect(signDownload(claim, 'short')).rejects.toMatchObject({ code: 'SECRET_MISSING' })
  })
})
