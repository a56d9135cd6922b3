import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { TidemarkError } from '@tidemark/core'
import { toIssues } from '@tidemark/core/adapter'
import { serveConfigSchema } from './serve-parts.ts'
import type { ServeConfig } from './serve-config.ts'

export const CONFIG_FILE = 'tidemark.config.ts'

/**
 * What the file exports as its default, checked; nothing is opened but what the file itself opens.
 * Errors: `CONFIG_INVALID` with everything that is wrong with it, and what of Tidemark's the file throws.
 */
export async function loadConfig(path: string): Promise<ServeConfig> {
  const file = resolve(path)
  if (!existsSync(file)) throw invalid([{ path: '--config', message: 'There is no such file.' }], path)
  const config = await defaultOf(file, path)
  if (typeof config !== 'object' || config === null) {
    throw invalid([{ path: '--config', message: 'Must export a configuration as its default: export default defineConfig({ … }).' }], path)
  }
  const result = serveConfigSchema['~standard'].validate(config)
  if (result.issues !== undefined) throw invalid(toIssues(result.issues), path)
  return result.value
}

async function defaultOf(file: string, path: string): Promise<unknown> {
  try {
    const loaded = await import(pathToFileURL(file).href) as { readonly default?: unknown } // whatever it exports
    return await (typeof loaded.default === 'function' ? loaded.default() : loaded.default) as unknown // whatever it returns
  } catch (error) {
    if (error instanceof TidemarkError) throw error
    throw broken(error, file, path)
  }
}

/** The message of a foreign error may quote the file, and with it a secret: only its kind and where it was thrown are told. */
function broken(error: unknown, file: string, path: string): TidemarkError {
  const kind = error instanceof Error ? error.name : typeof error
  const place = placeIn(error, file)
  const code = codeOf(error)
  const message = `Can not be used: it throws ${kind}${code === undefined ? '' : ` ${code}`}${place === undefined ? '' : `, in ${place}`}.`
  return invalid([{ path: '--config', message }], path, { detail: code ?? kind, remedy: `Run \`node ${path}\` to see all of the error.` })
}

/** A syntax error has its place in the line before its stack, others in their frames. Nothing else is looked at: a message may hold anything. */
const FIRST_LINE = /^(file:\/\/\S+|\/\S+|[A-Za-z]:\\\S+):(\d+)$/m
const FRAME = /^ +at (?:.*\()?(file:\/\/[^\s)]+|\/[^\s)]+|[A-Za-z]:\\[^\s)]+):(\d+):\d+\)?$/m

function placeIn(error: unknown, file: string): string | undefined {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : ''
  const [first = ''] = stack.split('\n', 1)
  const [, place, line = ''] = FIRST_LINE.exec(first) ?? FRAME.exec(stack) ?? []
  if (place === undefined) return undefined
  const at = place.startsWith('file:') ? fileURLToPath(place) : place
  return at === file ? `line ${line}` : `${relative(process.cwd(), at)}, line ${line}`
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

type Issues = TidemarkError['issues']

function invalid(issues: Issues, path: string, { detail, remedy }: { readonly detail?: string; readonly remedy?: string } = {}): TidemarkError {
  const message = `The configuration has ${issues.length} fault${issues.length === 1 ? '' : 's'}.`
  return new TidemarkError('CONFIG_INVALID', message, { issues, detail, remedy: remedy ?? `Correct them in ${path} and run the command again; nothing was started.` })
}
