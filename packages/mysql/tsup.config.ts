import { packageConfig } from '../../tooling/tsup.base.ts'

const external = [/^node:/, /^#/]
const index = packageConfig({ entry: { index: 'src/index.ts' }, external, clean: ['!host'] })

// By the host that a bundle is for: see `imports` in package.json.
const host = packageConfig({ entry: { 'host/workers': 'src/host/workers.ts', 'host/node': 'src/host/node.ts' }, external, dts: false, clean: false })

export default [index, host]
