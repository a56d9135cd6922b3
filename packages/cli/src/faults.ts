import { TidemarkError, type ConfigIssue } from '@tidemark/core'

/** Collects what is wrong with the command line, so that all of it is said at once. */
export class Faults {
  readonly #issues: ConfigIssue[] = []

  /** `path` is the option as it is written: `--table`. The message never quotes a value that may hold a secret. */
  add(path: string, message: string): void {
    this.#issues.push({ path, message })
  }

  /** Runs `work`; its `CONFIG_INVALID` becomes faults of `path`, other errors pass. */
  async collect<T>(path: string, work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof TidemarkError) || error.code !== 'CONFIG_INVALID') throw error
      this.add(path, error.message)
      return undefined
    }
  }

  /** Errors: `CONFIG_INVALID` with every fault, if there is any. */
  throwIfAny(): void {
    if (this.#issues.length > 0) throw usageError(this.#issues)
  }
}

export function usageError(issues: readonly ConfigIssue[]): TidemarkError {
  const message = `The command line has ${issues.length} fault${issues.length === 1 ? '' : 's'}.`
  return new TidemarkError('CONFIG_INVALID', message, { issues, remedy: 'Correct them and run the command again; --help lists the options.' })
}
