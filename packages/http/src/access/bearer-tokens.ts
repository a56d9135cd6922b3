import { TidemarkError, type SecretInput } from '@tidemark/core'
import { equalBytes, makeSecret, textDigest, type Secret } from '@tidemark/core/adapter'
import type { Authorize } from './authorize.ts'
import { includesScope, SCOPES, type Scope } from './scope.ts'

/** Tokens by what they allow. Several of one scope: the old and the new one while they are changed. */
export type BearerTokens = { readonly [Name in Scope]?: SecretInput | readonly SecretInput[] | undefined }

const NONE = new Uint8Array()

interface Granted {
  readonly scope: Scope
  readonly secret: Secret
}

/**
 * Lets in who sends `Authorization: Bearer <token>`. Browsers may send the token as the password of Basic authentication, with any user name: that
 * is how the status page is opened.
 *
 * Tokens are looked up at each request, so that they can be changed, and all of them are compared, in a time that tells nothing of them.
 *
 * Errors: `CONFIG_INVALID` without a token, or with an empty one.
 */
export function bearerTokens(tokens: BearerTokens): Authorize {
  const granted = SCOPES.flatMap((scope) => inputsOf(tokens[scope]).map((input): Granted => ({ scope, secret: makeSecret(input, `token of ${scope}`) })))
  if (granted.length === 0) throw invalid('Must have a token for at least one scope.')
  const authorize = async (request: Request, scope: Scope): Promise<boolean> => {
    const given = tokenOf(request.headers.get('authorization') ?? '')
    const [digest, ...digests] = await Promise.all([textDigest(given), ...granted.map(async ({ secret }) => textDigest(await secret.reveal()))])
    // Every one is looked at, whichever fits.
    const matches = granted.map((one, index) => equalBytes(digest, digests[index] ?? NONE) && includesScope(one.scope, scope))
    return given !== '' && matches.includes(true)
  }
  // Only this one: of a header with several, Chromium takes none.
  return Object.assign(authorize, { challenge: 'Basic realm="Tidemark", charset="UTF-8"' })
}

function inputsOf(input: BearerTokens[Scope]): readonly SecretInput[] {
  if (input === undefined) return []
  const inputs = isList(input) ? input : [input]
  if (inputs.some((one) => one === '')) throw invalid('Must not be empty.')
  return inputs
}

function isList(input: SecretInput | readonly SecretInput[]): input is readonly SecretInput[] {
  return Array.isArray(input)
}

function tokenOf(header: string): string {
  const [, scheme = '', value = ''] = /^(Bearer|Basic) +(\S+) *$/i.exec(header) ?? []
  return scheme.toLowerCase() === 'basic' ? passwordOf(value) : value
}

/** What follows the first colon; a user name has none. */
function passwordOf(credentials: string): string {
  try {
    const bytes = Uint8Array.from(atob(credentials), (character) => character.charCodeAt(0))
    const text = new TextDecoder().decode(bytes)
    return text.includes(':') ? text.slice(text.indexOf(':') + 1) : ''
  } catch {
    return ''
  }
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', `The tokens are wrong. ${message}`, { issues: [{ path: 'tokens', message }] })
}
