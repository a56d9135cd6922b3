import { spawnSync } from 'node:child_process'

/** Everything that is wrong without a server: style, imports, types, documents, packages. Runs all, then says which failed. */
const tasks: readonly (readonly [name: string, file: string])[] = [
  ['lint', 'tooling/lint.ts'],
  ['types', 'tooling/typecheck.ts'],
  ['docs', 'tooling/check-docs.ts'],
  ['packages', 'tooling/check-packages.ts'],
]

const failed = tasks.filter(([, file]) => spawnSync(process.execPath, ['--conditions=tidemark-source', file], { stdio: 'inherit' }).status !== 0).map(([name]) => name)
if (failed.length > 0) {
  process.stderr.write(`Failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
