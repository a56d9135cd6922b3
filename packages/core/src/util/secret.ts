import { TidemarkError } from '../errors/tidemark-error.ts'

/**
 * A secret, or where to find it. A reference is resolved each time a connection is opened, so rotation needs no
 * restart, and only the reference is ever in configuration.
 */
export type SecretInput = string | { readonly env: string } | (() => string | Promise<string>)

/** Opaque: `inspect()`, `JSON.stringify` and string conversion show `[redacted]`. */
export interface Secret {
  /** Where it comes from, for errors: `password (env PGPASSWORD)`. */
  readonly label: string
  /** Errors: `SECRET_MISSING` when the reference gives nothing. */
  reveal(): Promise<string>
}

const REDACTED = '[redacted]'

class OpaqueSecret implements Secret {
  readonly label: string
  readonly #input: SecretInput

  constructor(input: SecretInput, name: string) {
    this.#input = input
    this.label = typeof input === 'object' ? `${name} (env ${input.env})` : name
  }

  async reveal(): Promise<string> {
    const value = await resolveInput(this.#input, this.label)
    if (typeof value === 'string' && value !== '') return value
    throw new TidemarkError('SECRET_MISSING', `The secret ${this.label} is empty.`)
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  /** Node, Bun and Deno ask for this symbol before they print an object. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return REDACTED
  }
}

async function resolveInput(input: SecretInput, label: string): Promise<unknown> {
  if (typeof input === 'string') return input
  if (typeof input === 'object') return readEnvironment(input.env)
  try {
    return await input()
  } catch {
    // What a secret store throws may quote the secret, so its error is dropped, not wrapped.
    throw new TidemarkError('SECRET_MISSING', `The function that gives the secret ${label} failed.`)
  }
}

/** `undefined` where the host has no environment, such as Workers without `nodejs_compat`. */
export function readEnvironment(name: string): string | undefined {
  // Core has no Node types: `process` is whatever the host put there.
  const host = globalThis as { readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> } }
  return host.process?.env?.[name]
}

/** `name` says in errors which secret is meant, such as `password`. */
export function makeSecret(input: SecretInput, name: string): Secret {
  return new OpaqueSecret(input, name)
}
