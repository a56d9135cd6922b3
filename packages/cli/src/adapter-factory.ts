import { TidemarkError } from '@tidemark/core'

/** A factory of an adapter package that may be older than this command line. Errors: `NOT_SUPPORTED`. */
export function adapterFactory<Config, Dialect>(adapter: object, name: string): (config: Config) => Dialect {
  const factory = Object.entries(adapter).find(([key]) => key === name)?.[1] as unknown
  if (typeof factory !== 'function') throw new TidemarkError('NOT_SUPPORTED', `This installation has no ${name}.`)
  // Checked to be a function; its shape is what the package documents.
  return factory as (config: Config) => Dialect
}
