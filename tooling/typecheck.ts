import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'

/** Every folder with a tsconfig.json is a project of its own: what core may use differs from what an adapter may. What runs in Workers is none of `tooling`, and has a file beside it. */
const projects = globSync(['packages/*', 'packages/*/page', 'examples/*', 'bench', 'runtime-tests', 'tooling', 'tooling/*'])
  .filter((folder) => existsSync(`${folder}/tsconfig.json`))
  .sort()

const files = [...projects, ...globSync('packages/*/tsconfig.tests.json').sort()]
const failed = files.filter((project) => {
  process.stdout.write(`tsc ${project}\n`)
  return spawnSync('pnpm', ['exec', 'tsc', '-p', project], { stdio: 'inherit' }).status !== 0
})

if (projects.length === 0 || failed.length > 0) {
  process.stderr.write(`Type errors in: ${failed.join(', ') || 'no project found'}\n`)
  process.exitCode = 1
}
