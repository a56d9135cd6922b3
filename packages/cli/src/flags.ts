import type { ArgsDef } from 'citty'
import type { Faults } from './faults.ts'

/** Options and positional arguments as given, by name. A name that was not given has no entry; a switch has one empty value. */
export class Flags {
  readonly #values: ReadonlyMap<string, readonly string[]>

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The value of an option that may be given once. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  /** The values of an option that may be given several times, in order. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }
}

export interface FlagRules {
  readonly args: ArgsDef
  /** Names that may be given several times. */
  readonly repeatable: ReadonlySet<string>
}

interface Flag {
  readonly name: string
  readonly value: string | undefined
}

/**
 * Reads a command line by citty's definitions. citty's own parser takes unknown options in silence, keeps only the last
 * of a repeated one and stops at the first fault; here each of these is a fault and all are told.
 */
export function parseFlags(rawArgs: readonly string[], rules: FlagRules, faults: Faults): Flags {
  const values = new Map<string, string[]>()
  for (let index = 0; index < rawArgs.length; index += 1) {
    const flag = readFlag(rawArgs[index] ?? '', rules.args)
    if (flag === undefined) {
      const name = Object.keys(rules.args).find((key) => rules.args[key]?.type === 'positional' && !values.has(key))
      // Not quoted: it may be a connection string that lost its `--from`.
      if (name === undefined) faults.add(`argument ${index + 1}`, 'Is not an option.')
      else values.set(name, [rawArgs[index] ?? ''])
      continue
    }
    const definition = Object.hasOwn(rules.args, flag.name) ? rules.args[flag.name] : undefined
    if (definition === undefined || definition.type === 'positional') {
      faults.add(`--${flag.name}`, 'There is no such option.')
      // What follows was meant for it.
      if (flag.value === undefined && valueAt(rawArgs, index + 1) !== undefined) index += 1
    } else if (definition.type === 'boolean') {
      if (flag.value === undefined) values.set(flag.name, [''])
      else faults.add(`--${flag.name}`, 'Takes no value.')
    } else {
      const value = flag.value ?? valueAt(rawArgs, index + 1)
      if (flag.value === undefined && value !== undefined) index += 1
      addValue(values, { name: flag.name, value }, { rules, faults })
    }
  }
  return new Flags(values)
}

function addValue(values: Map<string, string[]>, flag: Flag, context: { readonly rules: FlagRules; readonly faults: Faults }): void {
  const { name, value } = flag
  const earlier = values.get(name) ?? []
  if (value === undefined || value === '') context.faults.add(`--${name}`, 'Needs a value.')
  else if (earlier.length > 0 && !context.rules.repeatable.has(name)) context.faults.add(`--${name}`, 'May be given only once.')
  // Kept also when empty: it was given, so it is not missing besides.
  values.set(name, value === undefined ? earlier : [...earlier, value])
}

function readFlag(argument: string, args: ArgsDef): Flag | undefined {
  const long = /^--([^=]+)(?:=(.*))?$/s.exec(argument)
  if (long?.[1] !== undefined) return { name: long[1], value: long[2] }
  const short = /^-([A-Za-z])$/.exec(argument)?.[1]
  if (short === undefined) return undefined
  const name = Object.keys(args).find((key) => args[key] !== undefined && 'alias' in args[key] && args[key].alias === short)
  return { name: name ?? short, value: undefined }
}

/** The next argument, unless it is an option: `--from --to x` lacks the source, it does not read from "--to". */
function valueAt(rawArgs: readonly string[], index: number): string | undefined {
  const next = rawArgs[index]
  return next === undefined || /^-./.test(next) ? undefined : next
}
