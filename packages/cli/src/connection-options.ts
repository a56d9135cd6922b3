import { readFileSync } from 'node:fs'
import type { Faults } from './faults.ts'
import type { Flags } from './flags.ts'
import type { SourceSettings, SourceTls } from './open-source.ts'
import type { TargetSettings } from './open-target.ts'
import { environmentName, locateSource, locateTarget, type Environment } from './url.ts'

export interface OptionContext {
  readonly environment: Environment
  readonly faults: Faults
}

const TLS_MODES = ['verify', 'disable', 'insecure-no-verify'] as const

/** `--from`, `--tls`, `--ca`; `undefined` after a fault. */
export function sourceOptions(flags: Flags, context: OptionContext): SourceSettings | undefined {
  const { environment, faults } = context
  const tls = tlsOption(flags, faults)
  if (flags.get('from') === undefined && !environment['TIDEMARK_SOURCE_URL']) {
    if (!flags.has('from')) faults.add('--from', 'Is missing, and TIDEMARK_SOURCE_URL is not set.')
    return undefined
  }
  const located = locateSource(flags.get('from') ?? 'env:TIDEMARK_SOURCE_URL', environment)
  if ('location' in located) return { location: located.location, tls }
  faults.add('--from', located.fault)
  return undefined
}

/** `--to`, `--to-token`; `undefined` after a fault. */
export function targetOptions(flags: Flags, context: OptionContext): TargetSettings | undefined {
  const { faults } = context
  const authToken = tokenOption(flags, { name: 'to-token', variable: 'TIDEMARK_TARGET_TOKEN' }, context)
  const to = flags.get('to')
  if (to === undefined) {
    if (!flags.has('to')) faults.add('--to', 'Is missing.')
    return undefined
  }
  const located = locateTarget(to)
  if ('location' in located) return { location: located.location, authToken }
  faults.add('--to', located.fault)
  return undefined
}

/** `--tls` and `--ca`. */
export function tlsOption(flags: Flags, faults: Faults): SourceTls | undefined {
  const mode = choice(flags, { name: 'tls', choices: TLS_MODES, faults })
  const file = flags.get('ca')
  if (file === undefined) return mode
  if (mode === 'disable' || mode === 'insecure-no-verify') faults.add('--ca', `Has no meaning with --tls ${mode}.`)
  try {
    return { ca: readFileSync(file, 'utf8') }
  } catch {
    faults.add('--ca', 'The file can not be read.')
    return undefined
  }
}

export interface TokenRule {
  /** Of the option. */
  readonly name: string
  /** The environment variable that is read without it. */
  readonly variable: string
}

export function tokenOption(flags: Flags, rule: TokenRule, context: OptionContext): { readonly env: string } | undefined {
  const { environment, faults } = context
  const text = flags.get(rule.name)
  if (text === undefined) return environment[rule.variable] ? { env: rule.variable } : undefined
  const name = environmentName(text)
  if (name === undefined) faults.add(`--${rule.name}`, 'Must be env:NAME: a token on the command line is open to every user of this machine.')
  else if (!environment[name]) faults.add(`--${rule.name}`, `The environment variable ${name} is not set.`)
  return name === undefined ? undefined : { env: name }
}

/** An option with a fixed set of values. */
export function choice<Choice extends string>(
  flags: Flags, rule: { readonly name: string; readonly choices: readonly Choice[]; readonly faults: Faults },
): Choice | undefined {
  const text = flags.get(rule.name)
  const chosen = rule.choices.find((value) => value === text)
  if (text !== undefined && text !== '' && chosen === undefined) rule.faults.add(`--${rule.name}`, `Must be one of ${rule.choices.join(', ')}.`)
  return chosen
}
