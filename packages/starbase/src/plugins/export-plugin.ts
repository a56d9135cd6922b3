import { RoutePlugin, type PluginOptions } from './route-plugin.ts'

const PATHS = [
  '/export', '/export/dump', '/export/status/:exportId', '/export/download/:exportId', '/export/cancel/:exportId',
  '/import', '/import/status/:exportId', '/import/stop/:exportId',
] as const
/** The instance answers others of such a path, as `POST /import/dump`. */
const DELETED = ['/export/:exportId', '/import/:exportId'] as const

/** Dumps of the instance: `/export/dump`, `/export/status/:id`, `/export/download/:id`, and loading them again with `/import`. The instance's own routes for one table and for a file of SQL stay its own. */
export class ExportPlugin extends RoutePlugin {
  constructor(options: PluginOptions) {
    super({ name: 'tidemark:export', paths: PATHS, deleted: DELETED }, options)
  }
}
