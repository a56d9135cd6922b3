import { spawnSync } from 'node:child_process'

/** Rules of style and type-aware rules, then the import law: layers, floors and no cycles. */
const commands: readonly (readonly string[])[] = [
  ['exec', 'oxlint', '--config', 'tooling/oxlint.json', '--type-aware', '--deny-warnings', '.'],
  ['exec', 'depcruise', '--config', 'tooling/dependency-cruiser.mjs', 'packages', '--output-type', 'err'],
]

const isClean = commands.map((command) => spawnSync('pnpm', [...command], { stdio: 'inherit' }).status === 0)
process.exitCode = isClean.every(Boolean) ? 0 : 1
