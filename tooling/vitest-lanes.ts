import { fileURLToPath } from 'node:url'
import type { TestProjectConfiguration } from 'vitest/config'

/** A lane without a server ends in seconds; the others may wait for one to start. */
const FAST_TIMEOUT_MS = 20_000
const SERVER_TIMEOUT_MS = 120_000

/** Starts a server when a test first asks for it, one per engine and version for the whole run. */
const SERVER_SETUP = fileURLToPath(new URL('servers/src/vitest/global-setup.ts', import.meta.url))

const shipped = ['packages/*/src/**', 'runtime-tests/**', 'tooling/**', 'examples/**']

function lane(name: string, suffixes: readonly string[], options: { servers?: boolean; exclude?: readonly string[]; setupFiles?: string[]; roots?: readonly string[]; env?: Record<string, string> } = {}): TestProjectConfiguration {
  const timeoutMs = options.servers === true ? SERVER_TIMEOUT_MS : FAST_TIMEOUT_MS
  return {
    resolve: { conditions: ['tidemark-source'] },
    ssr: { resolve: { conditions: ['tidemark-source'] } },
    test: {
      name,
      globalSetup: options.servers === true ? [SERVER_SETUP] : [],
      include: (options.roots ?? shipped).flatMap((root) => suffixes.map((suffix) => `${root}/${suffix}`)),
      exclude: ['**/node_modules/**', '**/dist/**', ...(options.exclude ?? [])],
      pool: 'forks',
      execArgv: ['--conditions=tidemark-source'],
      testTimeout: timeoutMs,
      hookTimeout: timeoutMs,
      setupFiles: options.setupFiles ?? [],
      env: options.env ?? {},
    },
  }
}

const suffixed = ['postgres', 'mysql', 'sqlite', 'property', 'runtime', 'browser', 'long'].map((suffix) => `**/*.${suffix}.test.ts`)

/** Lane by file suffix; see CONTRIBUTING.md. */
export const lanes: TestProjectConfiguration[] = [
  lane('unit', ['*.test.ts'], { exclude: [...suffixed, '**/conformance.test.ts'] }),
  lane('property', ['*.property.test.ts'], { setupFiles: ['tooling/fast-check-seed.ts'] }),
  lane('sqlite', ['*.sqlite.test.ts']),
  lane('postgres', ['*.postgres.test.ts'], { servers: true }),
  lane('mysql', ['*.mysql.test.ts'], { servers: true }),
  // The adapter's own tests once more, on Oracle's server.
  lane('mysql-oracle', ['*.mysql.test.ts'], { servers: true, roots: ['packages/mysql/src/**'], env: { TIDEMARK_TEST_ENGINE: 'mysql' } }),
  lane('conformance', ['conformance.test.ts'], { servers: true }),
  lane('runtime', ['*.runtime.test.ts']),
  // In a Chromium, which has to be there.
  lane('browser', ['*.browser.test.ts']),
  lane('long', ['*.long.test.ts'], { servers: true }),
]

/** In the order of `lanes`. */
export const laneNames: readonly string[] = ['unit', 'property', 'sqlite', 'postgres', 'mysql', 'mysql-oracle', 'conformance', 'runtime', 'browser', 'long']
