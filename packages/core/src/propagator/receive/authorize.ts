import { TidemarkError } from '../../errors/tidemark-error.ts'
import { equalText } from '../../util/equal-text.ts'
import { makeSecret, type Secret, type SecretInput } from '../../util/secret.ts'
import { HEADERS, isSigned } from '../wire/sign-message.ts'
import type { Authorization } from './receiver-options.ts'

export interface Claim {
  readonly headers: { get(name: string): string | null }
  readonly origin: string
  readonly body: string
  readonly nowSeconds: number
}

/** Whether a request comes from whom it claims. */
export type Check = (claim: Claim) => Promise<boolean>

/** Secrets are looked up at each request, so that they can be changed. Errors: `CONFIG_INVALID`. */
export function makeCheck(authorize: Authorization): Check {
  if (typeof authorize === 'function') return async (claim) => await authorize(claim)
  if (typeof authorize !== 'object' || authorize === null) throw missing()
  if ('token' in authorize) return hasToken(one(authorize.token, 'token'))
  if ('secret' in authorize) return hasSignature(one(authorize.secret, 'secret'))
  if ('tokens' in authorize) return hasToken(each(authorize.tokens, 'token'))
  if ('secrets' in authorize) return hasSignature(each(authorize.secrets, 'secret'))
  throw missing()
}

type Lookup = (origin: string) => Secret | undefined

function one(input: SecretInput, name: string): Lookup {
  const secret = makeSecret(input, name)
  return () => secret
}

function each(inputs: Readonly<Record<string, SecretInput>>, name: string): Lookup {
  const secrets = new Map(Object.entries(inputs).map(([origin, input]) => [origin, makeSecret(input, `${name} of ${origin}`)]))
  return (origin) => secrets.get(origin)
}

function hasToken(lookup: Lookup): Check {
  return async ({ headers, origin }) => {
    const given = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1] ?? ''
    return equalText(given, await reveal(lookup(origin)))
  }
}

function hasSignature(lookup: Lookup): Check {
  return async ({ headers, origin, body, nowSeconds }) => {
    const signature = headers.get(HEADERS.signature) ?? ''
    return isSigned(await reveal(lookup(origin)), { origin, body, signature, nowSeconds })
  }
}

/** For an unknown name something that nobody can know, so that it takes as long as a known one. */
async function reveal(secret: Secret | undefined): Promise<string> {
  return secret === undefined ? crypto.randomUUID() : secret.reveal()
}

function missing(): TidemarkError {
  return new TidemarkError('CONFIG_INVALID', 'A receiver needs to know who may send.', { issues: [{ path: 'authorize', message: 'Must have a token, a secret, one of each origin, or be a function.' }] })
}
