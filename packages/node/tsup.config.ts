import { packageConfig } from '../../tooling/tsup.base.ts'

const index = packageConfig({ entry: { index: 'src/index.ts', diagnostics: 'src/diagnostics.ts' }, clean: ['!render-worker.*'] })

// Threads begin with a file of their own. It has what they run in it and nothing else: to load the packages whole takes them as long as to start.
const renderWorker = packageConfig({
  entry: { 'render-worker': 'src/export/render-worker.ts' },
  dts: false,
  clean: false,
  noExternal: [/^@tidemark\//],
  esbuildOptions: (options) => { options.conditions = ['tidemark-source'] },
})

export default [index, renderWorker]
