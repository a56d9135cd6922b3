import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GUIDE, errorsGuide } from './errors-guide.ts'
import { OPENAPI, OPENAPI_TYPES, openapiText, openapiTypesText } from './openapi.ts'
import { PAGE, statusPageText } from './status-page.ts'

/**
 * Holds the documents to the code: links lead somewhere, generated pages are current, and every TypeScript block
 * compiles on its own. A block that needs a name from outside says so in a comment right above it:
 * `<!-- declare const sql: import('postgres').Sql -->`; one that others import is named: `<!-- file: duck-subject.ts -->`.
 */
const documents = globSync(['*.md', 'docs/**/*.md', 'packages/*/README.md', 'examples/*/README.md', 'tooling/*/README.md'])
/** Inside a package, so that imports resolve as they do for a user of all of them. */
const SNIPPETS = 'tooling/proof/.snippets'

function brokenLinks(file: string): readonly string[] {
  const links = [...readFileSync(file, 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '')
  return links.filter((target) => !/^[a-z]+:/.test(target) && !existsSync(join(dirname(file), target))).map((target) => `${file}: ${target} leads nowhere`)
}

function writeSnippets(file: string): number {
  const blocks = [...readFileSync(file, 'utf8').matchAll(/(?:<!-- (.*?) -->\n)?```ts\n(.*?)```/gs)]
  const folder = join(SNIPPETS, file.replaceAll(/[^A-Za-z0-9]+/g, '-'))
  if (blocks.length > 0) mkdirSync(folder)
  for (const [index, [, comment = '', code = '']] of blocks.entries()) {
    const named = /^file: (\S+)$/.exec(comment)?.[1]
    writeFileSync(join(folder, named ?? `block-${index + 1}.ts`), `// ${file}\n${named === undefined ? comment : ''}\n${code}\nexport {}\n`)
  }
  return blocks.length
}

function compileSnippets(): boolean {
  rmSync(SNIPPETS, { recursive: true, force: true })
  mkdirSync(SNIPPETS, { recursive: true })
  const count = documents.map(writeSnippets).reduce((sum, next) => sum + next, 0)
  writeFileSync(join(SNIPPETS, 'tsconfig.json'), JSON.stringify({
    extends: '../../../tsconfig.base.json', compilerOptions: { types: ['node'], noUnusedLocals: false }, include: ['**/*.ts'],
  }))
  process.stdout.write(`docs: ${documents.length} documents, ${count} TypeScript blocks\n`)
  const isClean = count > 0 && spawnSync('pnpm', ['exec', 'tsc', '-p', SNIPPETS], { stdio: 'inherit' }).status === 0
  if (isClean) rmSync(SNIPPETS, { recursive: true })
  return isClean
}

const faults = documents.flatMap(brokenLinks)
if (readFileSync(GUIDE, 'utf8') !== errorsGuide()) faults.push(`${GUIDE} is not current; run node tooling/errors-guide.ts`)
if (readFileSync(OPENAPI_TYPES, 'utf8') !== await openapiTypesText()) faults.push(`${OPENAPI_TYPES} is not current; run node --conditions=tidemark-source tooling/openapi.ts`)
if (readFileSync(OPENAPI, 'utf8') !== openapiText()) faults.push(`${OPENAPI} is not current; run node --conditions=tidemark-source tooling/openapi.ts`)
if (readFileSync(PAGE, 'utf8') !== statusPageText()) faults.push(`${PAGE} is not current; run node tooling/status-page.ts`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
if (!compileSnippets() || faults.length > 0) process.exitCode = 1
