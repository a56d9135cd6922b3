import { sourceError } from '../source/source-error.ts'

/** Drivers map what goes wrong as a target's; here it is a source's. */
export async function withSourceErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw sourceError(error)
  }
}
