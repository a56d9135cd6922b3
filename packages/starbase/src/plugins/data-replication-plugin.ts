import { RoutePlugin, type PluginOptions } from './route-plugin.ts'

/** Tables of other databases, kept copied into the instance: `/data-replication/configure`, `start`, `stop`, `sync`, `status` and `logs`. */
export class DataReplicationPlugin extends RoutePlugin {
  constructor(options: PluginOptions) {
    super({ name: 'tidemark:data-replication', paths: ['/data-replication/*'] }, options)
  }
}
