// Runs a task of this workspace with a Node and a pnpm that are new enough, whatever the machine has.
// Plain JavaScript for Node 18: it must run before anything is installed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const NODE = '24'
const PNPM = '12'
/** Set on the inner run, so that a toolchain that still does not fit ends in an error and not in a loop. */
const MARKER = 'TIDEMARK_TOOLCHAIN'

const TYPESCRIPT = ['--conditions=tidemark-source', '--disable-warning=ExperimentalWarning']

const BUILD = ['-r', '--filter', './packages/*', 'run', 'build']

/** What each task runs, after `pnpm install` of what it needs. */
const TASKS = {
  test: { install: [], run: (args) => node('tooling/test.ts', args) },
  'test:long': { install: [], run: (args) => node('tooling/test.ts', ['--lane', 'long', ...args]) },
  // As they are published, packed and installed.
  'test:runtimes': { install: [], before: ['pnpm', BUILD], run: (args) => node('runtime-tests/src/matrix/run-matrix.ts', args) },
  demo: { install: ['--filter', 'tidemark-demo...'], run: (args) => node('examples/demo/src/demo.ts', args) },
  // As they are published: from source, each thread would spend a third of a second on stripping types.
  bench: { install: [], before: ['pnpm', BUILD], run: (args) => [process.execPath, ['--disable-warning=ExperimentalWarning', 'bench/src/bench.ts', ...args]] },
  build: { install: [], run: (args) => ['pnpm', [...BUILD, ...args]] },
  typecheck: { install: [], run: () => node('tooling/typecheck.ts', []) },
  lint: { install: [], run: () => node('tooling/lint.ts', []) },
  check: { install: [], run: () => node('tooling/check.ts', []) },
}

function node(file, args) {
  return [process.execPath, [...TYPESCRIPT, file, ...args]]
}

function main([name, ...args]) {
  const task = TASKS[name]
  if (task === undefined) fail(`Unknown task "${name}". Known: ${Object.keys(TASKS).join(', ')}.`)
  if (!isRecent()) return again([name, ...args])
  install(task.install)
  if (task.before !== undefined && run(...task.before, {}) !== 0) fail('The packages could not be built.')
  const [command, commandArgs] = task.run(args)
  process.exitCode = run(command, commandArgs, { NODE_OPTIONS: process.env.NODE_OPTIONS ?? '' })
}

/** Type stripping without a flag came with 22.18. */
function isRecent() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const nodeFits = major > 22 || (major === 22 && minor >= 18)
  const found = spawnSync('pnpm', ['--version'], { cwd: ROOT, encoding: 'utf8', shell: process.platform === 'win32' })
  return nodeFits && found.status === 0 && found.stdout.trim().split('.')[0] === PNPM
}

function again(args) {
  if (process.env[MARKER] === '1') fail(`Needs Node >= 22.18 and pnpm ${PNPM}; found Node ${process.versions.node}.`)
  const command = ['-y', '-p', `node@${NODE}`, '-p', `pnpm@${PNPM}`, '--', 'node', join('tooling', 'with-toolchain.mjs'), ...args]
  process.exitCode = run('npx', command, { [MARKER]: '1' })
}

/**
 * pnpm looks a registry's name up for every connection, 64 at once by default. A resolver that drops queries under
 * such a burst costs 5 seconds each time: installs of 75 s behind such a one took 8 to 26 s with 4 to 16 connections.
 */
const INSTALL_FLAGS = ['--frozen-lockfile', '--reporter=append-only', '--loglevel=warn', '--network-concurrency=8']

/** What it says goes to stderr: stdout is the task's own. Skipped when the lockfile is the one installed: a second run starts at once. */
function install(filter) {
  const wanted = readFileSync(join(ROOT, 'pnpm-lock.yaml'), 'utf8')
  const current = join(ROOT, 'node_modules', '.pnpm', 'lock.yaml')
  if (filter.length === 0 && existsSync(current) && readFileSync(current, 'utf8') === wanted) return
  const status = run('pnpm', [...filter, 'install', ...INSTALL_FLAGS], {}, { stdio: ['inherit', 2, 2] })
  if (status !== 0) process.exit(status)
}

function run(command, args, env, { stdio = 'inherit' } = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, stdio, env: { ...process.env, ...env }, shell: process.platform === 'win32' })
  if (result.error !== undefined) fail(`${command}: ${result.error.message}`)
  return result.status ?? 1
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

main(process.argv.slice(2))
