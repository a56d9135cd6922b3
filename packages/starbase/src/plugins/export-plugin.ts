import { RoutePlugin, type PluginOptions } from './route-plugin.ts'

const PATHS = [
  '/export', '/export/dump', '/export/status/:exportId', '/export/download/:exportId', '/export/cancel/:exportId', '/export/:exportId',
  '/import', '/import/status/:exportId', '/import/stop/:exportId', '/import/:exportId',
] as const

/** Dumps of the instance: `/export/dump`, `/export/status/:id`, `/export/download/:id`, and loading them again with `/import`. The routes of the instance for one table stay its own. */
export class ExportPlugin extends RoutePlugin {
  constructor(options: PluginOptions) {
    super({ name: 'tidemark:export', paths: PATHS }, options)
  }
}
