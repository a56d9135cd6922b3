import type { Route } from './route.ts'
import { changeSourcesRoute, changesRoute, socketRoute } from './routes/changes.ts'
import { dumpRoute, getDumpRoute } from './routes/export-dump.ts'
import { cancelRoute, deleteExportRoute, downloadRoute, exportListRoute, exportStatusRoute } from './routes/export-job.ts'
import { healthRoute } from './routes/health.ts'
import { forgetImportRoute, importListRoute, importRoute, importStatusRoute, stopImportRoute } from './routes/import.ts'
import { metricsRoute } from './routes/metrics.ts'
import { openapiRoute } from './routes/openapi.ts'
import { pageRoute } from './routes/page.ts'
import { peersRoute, propagateRoute } from './routes/peers.ts'
import { startRoute, stopRoute, syncRoute } from './routes/replication-actions.ts'
import { configureRoute, removeRoute } from './routes/replication-configure.ts'
import { logsRoute } from './routes/replication-logs.ts'
import { statusRoute } from './routes/replication-status.ts'
import { sessionRoute } from './routes/session.ts'

/** Every route there is. The tests of access, the OpenAPI document and the handler all go by this list. */
export const routes: readonly Route[] = [
  pageRoute, openapiRoute, healthRoute, sessionRoute, metricsRoute,
  configureRoute, removeRoute, startRoute, stopRoute, syncRoute, statusRoute, logsRoute,
  dumpRoute, getDumpRoute, exportListRoute, exportStatusRoute, downloadRoute, cancelRoute, deleteExportRoute,
  importRoute, importListRoute, importStatusRoute, stopImportRoute, forgetImportRoute,
  changesRoute, socketRoute, changeSourcesRoute,
  peersRoute, propagateRoute,
]
