/** The import law of docs/architecture.md. Files not named here may import what their package.json lists. */
const capabilities = ['replicator', 'change-stream', 'exporter', 'importer', 'propagator']

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'util-is-the-ground',
      severity: 'error',
      from: { path: '^packages/core/src/(errors|events|log|util|change)/' },
      to: { path: '^packages/core/src/', pathNot: '^packages/core/src/(errors|events|log|util|change)/' },
    },
    {
      name: 'ports-know-no-capability',
      severity: 'error',
      from: { path: '^packages/core/src/(dialect|storage|spool|state|runtime|dump)/' },
      to: { path: `^packages/core/src/(engine|feed|${capabilities.join('|')})/` },
    },
    ...capabilities.map((name) => ({
      name: `${name}-stands-alone`,
      severity: 'error',
      from: { path: `^packages/core/src/${name}/` },
      to: { path: `^packages/core/src/(${capabilities.filter((other) => other !== name).join('|')})/` },
    })),
    {
      name: 'nothing-imports-a-barrel',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: '(\\.test\\.ts$|/test/)' },
      to: { path: '^packages/core/src/(index|adapter|kysely|testing|telemetry)\\.ts$', dependencyTypes: ['local'] },
    },
    {
      name: 'adapters-never-import-each-other',
      severity: 'error',
      from: { path: '^packages/(postgres|mysql|s3|parquet|libsql|node|cloudflare)/src/', pathNot: '(\\.test\\.ts$|/test/)' },
      to: { path: '^packages/(postgres|mysql|s3|parquet|libsql|node|cloudflare|http|conformance|cli|starbase)/', pathNot: '^packages/$1/' },
    },
    {
      name: 'http-knows-no-adapter',
      severity: 'error',
      from: { path: '^packages/http/src/', pathNot: '(\\.test\\.ts$|/test/)' },
      to: { path: '^packages/(?!core/|http/)' },
    },
    {
      name: 'core-sqlite-and-http-know-no-runtime',
      severity: 'error',
      from: { path: '^packages/(core|sqlite|http)/src/', pathNot: '(\\.test\\.ts$|/test/)' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'http-client-knows-no-server',
      severity: 'error',
      from: { path: '^packages/http/src/client', pathNot: '\\.test\\.ts$' },
      to: { path: '^packages/', pathNot: '^packages/http/src/client/' },
    },
    { name: 'no-import-of-tests', severity: 'error', from: { pathNot: '(\\.test\\.ts$|/test/)' }, to: { path: '(\\.test\\.ts$|/test/)' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['tidemark-source', 'import', 'types', 'default'] },
  },
}
