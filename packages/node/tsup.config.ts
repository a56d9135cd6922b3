import { packageConfig } from '../../tooling/tsup.base.ts'

// Threads begin with a file of their own.
export default packageConfig({ entry: { index: 'src/index.ts', 'render-worker': 'src/export/render-worker.ts' }, dts: { entry: 'src/index.ts' } })
