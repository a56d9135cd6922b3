import { Exporter, type ExportRequest } from '@tidemark/core'

/** By these names an instance's users know what is not theirs: its caches, logs and policies, and what Tidemark keeps. */
const OF_THE_INSTANCE = /^tmp_/

/** Leaves out the instance's own tables, unless tables are named. */
export class InstanceExporter extends Exporter {
  override start(request: ExportRequest = {}): Promise<{ readonly id: string }> {
    return super.start(request.tables === undefined ? { ...request, exclude: [...request.exclude ?? [], OF_THE_INSTANCE] } : request)
  }
}
