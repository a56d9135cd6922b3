import { packageConfig } from '../../tooling/tsup.base.ts'

const external = [/^node:/, /^cloudflare:/, /^#/]
const index = packageConfig({ entry: { index: 'src/index.ts' }, external, clean: ['!host-sockets'] })

// By the host that a bundle is for: see `imports` in package.json.
const hostSockets = packageConfig({
  entry: { 'host-sockets/workers': 'src/host-sockets/workers.ts', 'host-sockets/none': 'src/host-sockets/none.ts' }, external, dts: false, clean: false,
})

export default [index, hostSockets]
