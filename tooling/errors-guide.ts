import { readFileSync, writeFileSync } from 'node:fs'
import { ERRORS, type ErrorCode } from '../packages/core/src/errors/error-codes.ts'

const SOURCE = 'packages/core/src/errors/error-codes.ts'
export const GUIDE = 'docs/guides/errors.md'

/** The guide to error codes, from the table and its comments. `node tooling/errors-guide.ts` writes it. */
export function errorsGuide(): string {
  const text = readFileSync(SOURCE, 'utf8')
  const rows = Object.entries(ERRORS).map(([code, { retryable, remedy }]) =>
    `| \`${code}\` | ${commentOf(text, code as ErrorCode)} | ${retryable ? 'yes' : 'no'} | ${remedy} |`) // the table's own keys
  return `# Errors

Everything Tidemark rejects or throws is a \`TidemarkError\`: \`code\`, \`retryable\`, \`remedy\`, \`detail\` (the engine's own code) and
\`cause\`. Decide by \`code\`; codes are never renamed, messages may be. \`CONFIG_INVALID\` lists every fault in \`issues\`, each with a
path. What a signal ended has the name \`AbortError\`. Wrong use of a method is a \`TypeError\`.

This page is generated from [\`error-codes.ts\`](../../${SOURCE}).

| code | means | retried | way out |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function commentOf(text: string, code: ErrorCode): string {
  const comment = new RegExp(String.raw`/\*\* (.*) \*/\n  ${code}:`).exec(text)?.[1]
  if (comment === undefined) throw new Error(`${code} has no comment of one line in ${SOURCE}.`)
  return comment
}

if (import.meta.main) writeFileSync(GUIDE, errorsGuide())
