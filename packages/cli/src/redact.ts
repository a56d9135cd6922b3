export type Redact = (text: string) => string

const REDACTED = '[redacted]'
/** Userinfo of anything that looks like a URL, up to the last @: a password may hold one that was not encoded. */
const USERINFO = /([A-Za-z][A-Za-z0-9+.-]*:\/\/)\S*@/g
const PARAMETER = /([?&;](?:password|passwd|pwd|auth_?token|token|secret)=)[^&;\s"']+/gi

/**
 * The last line of defence: errors carry no secret by construction, and what still slips through is removed here.
 * `secrets` are removed wherever they occur, as they were given and as they are percent-decoded.
 */
export function makeRedact(secrets: readonly string[]): Redact {
  const known = secrets.flatMap(formsOf).filter((secret) => secret !== '').toSorted((a, b) => b.length - a.length)
  return (text) => {
    const withoutKnown = known.reduce((rest, secret) => rest.replaceAll(secret, REDACTED), text)
    return withoutKnown.replace(USERINFO, `$1${REDACTED}@`).replace(PARAMETER, `$1${REDACTED}`)
  }
}

/** Arguments and environment values that hold credentials: what must never be printed whole. */
export function secretsIn(values: readonly string[]): readonly string[] {
  return values.filter((value) => /:\/\/.*@/s.test(value) || PARAMETER_ONCE.test(value))
}

const PARAMETER_ONCE = new RegExp(PARAMETER.source, 'i')

function formsOf(secret: string): readonly string[] {
  try {
    return [secret, decodeURIComponent(secret)]
  } catch {
    return [secret]
  }
}
