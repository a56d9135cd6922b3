import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** It is a reporter's way into vitest, which no application has: every conformance lane imports it. */
const ELSEWHERE = '@tidemark/conformance/vitest'

/** Every entry of every package of this workspace, by the name that it is imported by. */
export function publishedEntries(): readonly string[] {
  return globSync('packages/*/package.json', { cwd: ROOT }).flatMap((file) => {
    const { name, exports } = JSON.parse(readFileSync(`${ROOT}/${file}`, 'utf8')) as { readonly name: string; readonly exports: Readonly<Record<string, unknown>> } // every package has both
    return Object.keys(exports).map((path) => name + path.slice(1))
  }).filter((entry) => entry !== ELSEWHERE)
}

/** A module that can import each of them, so that a new entry is tried without a word here. */
export function entriesModule(entries: readonly string[]): string {
  return `export const entries = {\n${entries.map((entry) => `  '${entry}': () => import('${entry}'),\n`).join('')}}\n`
}
