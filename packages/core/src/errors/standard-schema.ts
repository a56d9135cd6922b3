import * as v from 'valibot'
import type { Fault } from './fault.ts'
import { shapeFaults } from './shape-issues.ts'

/** One fault, as Standard Schema has it. The message says what is right, and quotes nothing. */
export interface StandardIssue {
  readonly message: string
  readonly path: readonly PropertyKey[]
}

/**
 * What libraries that validate take, whoever made it: https://standardschema.dev. Validating opens nothing, changes nothing and gives the very value back;
 * it is what the constructors do.
 */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: 'tidemark'
    readonly validate: (value: unknown) => { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] }
    readonly types?: { readonly input: T; readonly output: T } | undefined
  }
}

/** A check of ours as Standard Schema: everything that is wrong with a value, or the value. */
export function standardSchema<T>(faultsIn: (value: unknown) => readonly Fault[]): StandardSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'tidemark',
      validate: (value) => {
        const issues = faultsIn(value)
        return issues.length > 0 ? { issues } : { value: value as T } // nothing was found against it
      },
    },
  }
}

/** Of a shape alone. */
export function standardShape<S extends v.GenericSchema>(shape: S): StandardSchema<v.InferOutput<S>> {
  return standardSchema((value) => shapeFaults(shape, value))
}

/** An object that has these members: what makes a source, a target or a store one. */
export function having<T>(members: readonly string[], message: string): v.GenericSchema<T, T> {
  return v.custom<T>((value) => typeof value === 'object' && value !== null && members.every((member) => member in value), message)
}
