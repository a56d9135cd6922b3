import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf } from './connect-target.ts'

/** The address, or the code of the error. */
function addressOrCode(url: string): unknown {
  try {
    return addressOf({ url })
  } catch (error) {
    // Only the code is compared.
    return (error as { code: string }).code
  }
}

describe('addressOf', () => {
  it('shows no part of the password, whatever the string', () => {
    const character = fc.constantFrom('@', ':', '/', '?', '#', '%', '[', ']', '&', '=', 'x', ' ', '\\', '%40')
    const part = fc.array(character, { maxLength: 6 }).map((characters) => characters.join(''))
    fc.assert(fc.property(part, part, (before, behind) => {
      const shown = addressOrCode(`postgres://u:${before}canary${behind}@h/d`)
      expect(['CONFIG_INVALID', 'postgres://h/d']).toContain(shown)
    }), { numRuns: 20_000 })
  })
})
