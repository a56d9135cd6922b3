import { TidemarkError } from '@tidemark/core'
import { expect, test } from 'vitest'
import { Faults } from './faults.ts'
import { parseFlags, type Flags } from './flags.ts'

const args = { from: { type: 'string' }, table: { type: 'string' }, json: { type: 'boolean' }, quiet: { type: 'boolean', alias: 'q' } } as const

function parse(rawArgs: readonly string[]): { readonly flags: Flags; readonly faults: readonly string[] } {
  const faults = new Faults()
  const flags = parseFlags(rawArgs, { args, repeatable: new Set(['table']) }, faults)
  try {
    faults.throwIfAny()
    return { flags, faults: [] }
  } catch (error) {
    return { flags, faults: error instanceof TidemarkError ? error.issues.map(({ path, message }) => `${path} ${message}`) : ['another error'] }
  }
}

test('values after a blank or an equals sign, repeated where that is allowed', () => {
  const { flags, faults } = parse(['--from', 'a=b', '--table=x=y', '--table', 'z', '--json', '-q'])
  expect(faults).toEqual([])
  expect([flags.get('from'), flags.all('table'), flags.has('json'), flags.has('quiet'), flags.has('once')]).toEqual(['a=b', ['x=y', 'z'], true, true, false])
})

test('every fault is told', () => {
  expect(parse(['--form', 'secret', 'secret', '--from', '--json=yes', '--table=', '-x', '--from', 'a', '--from', 'b']).faults).toEqual([
    '--form There is no such option.',
    'argument 3 Is not an option.',
    '--from Needs a value.',
    '--json Takes no value.',
    '--table Needs a value.',
    '--x There is no such option.',
    '--from May be given only once.',
  ])
})

test('an option that lacks its value does not swallow the next option', () => {
  const { flags, faults } = parse(['--from', '--table', 'x'])
  expect([faults, flags.all('table')]).toEqual([['--from Needs a value.'], ['x']])
})

test('names of Object.prototype are no options', () => {
  expect(parse(['--constructor=x']).faults).toEqual(['--constructor There is no such option.'])
})
