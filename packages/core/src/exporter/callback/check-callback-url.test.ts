import { describe, expect, it } from 'vitest'
import { checkCallbackUrl } from './check-callback-url.ts'

const ALLOWED = ['https://hooks.example.com', 'https://*.partner.com', 'http://127.0.0.1:8080', 'https://*.internal', 'https://*.0.1']

/** Each leads somewhere inside, or not where it says. */
const REFUSED = [
  'no url',
  'ftp://hooks.example.com/',
  'http://hooks.example.com/',
  'https://hooks.example.com:8443/',
  'https://user@hooks.example.com/',
  'https://hooks.example.com@evil.example/',
  'https://hooks.example.com.evil.org/',
  'https://partner.com/',
  'https://evilpartner.com/',
  'http://a.partner.com/',
  'https://a.partner.com:444/',
  'https://127.0.0.1/',
  'http://127.0.0.1/',
  'http://127.0.0.1:8081/',
  'https://0x7f.1/',
  'https://2130706433/',
  'https://0177.0.0.1/',
  'https://[::1]/',
  'https://[::ffff:127.0.0.1]/',
  'https://169.254.169.254/latest/meta-data/',
  'https://metadata.google.internal/',
  'https://localhost/',
  'https://a.localhost/',
  'https://db.internal/',
  'https://db.internal./',
  'https://10.0.0.1/',
]

describe('checkCallbackUrl', () => {
  it.each(REFUSED)('refuses %s', (url) => {
    expect(() => checkCallbackUrl(url, ALLOWED)).toThrow(expect.objectContaining({ code: 'CALLBACK_REFUSED' }))
  })

  it.each(['https://hooks.example.com/a?b=c', 'https://a.partner.com/', 'https://a.b.partner.com/x', 'http://127.0.0.1:8080/done', 'HTTPS://HOOKS.example.com/'])('allows %s', (url) => {
    expect(() => checkCallbackUrl(url, ALLOWED)).not.toThrow()
  })

  it('allows nothing by default, and repeats no part of the address', () => {
    expect(() => checkCallbackUrl('https://hooks.example.com/token-123', [])).toThrow(/^(?!.*token-123)/)
  })
})
