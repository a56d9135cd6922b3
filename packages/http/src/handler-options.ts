import type { Logger, Receiver, SourceDialect, StateStore } from '@tidemark/core'
import type { Authorize } from './access/authorize.ts'
import type { Limit } from './access/limit.ts'
import type { AnyChangeStream, AnyExporter, AnyImporter, AnyPropagator, AnyReplicator } from './capabilities.ts'
import type { SourceConfig } from './replication/source-config.ts'
import type { UpgradeWebSocket } from './sockets/socket-host.ts'
import type { HandlerTelemetry } from './telemetry/handler-telemetry.ts'

export interface HandlerOptions {
  /** Who may do what. There is no default: see `bearerTokens`. */
  readonly authorize: Authorize
  /** How often somebody may ask: see {@link Limit}. Default: without a limit. */
  readonly limit?: Limit | undefined
  /** What is not given has no routes. */
  readonly replicator?: AnyReplicator | undefined
  readonly exporter?: AnyExporter | undefined
  /** Loads dumps of its storage into its target, at `POST /import`. */
  readonly importer?: AnyImporter | undefined
  /** One, or several by name. */
  readonly streams?: AnyChangeStream | Readonly<Record<string, AnyChangeStream>> | undefined
  readonly propagator?: AnyPropagator | undefined
  /** Takes what other instances send, at `POST /propagate`. It asks for credentials itself. */
  readonly receiver?: Receiver | undefined
  /** What all paths begin with, such as `/data`. Default: nothing. */
  readonly basePath?: string | undefined
  /**
   * Sources that `POST /data-replication/configure` may name in `sourceConfig.dialect`. A dialect is used as it is; a function makes one of what was
   * sent, so that who has the scope `admin` decides what this process connects to. Default: none, and nothing can be configured.
   */
  readonly sources?: Readonly<Record<string, SourceDialect | ((config: SourceConfig) => SourceDialect)>> | undefined
  readonly exports?: ExportRouteOptions | undefined
  readonly imports?: ImportRouteOptions | undefined
  readonly changes?: ChangeRouteOptions | undefined
  /** Greatest body of a request, in bytes; the receiver has its own. Default 65,536. */
  readonly maxBodyBytes?: number | undefined
  /** Longest wait for a body, in milliseconds. Default 10,000. */
  readonly bodyTimeoutMs?: number | undefined
  /** Keeps the host alive for what goes on after an answer: `ctx.waitUntil` of a Worker. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** Spans of OpenTelemetry: `requestSpans({ tracer })` of `@tidemark/http/telemetry`. Default: none, and nothing is spent on it. */
  readonly telemetry?: HandlerTelemetry | undefined
  /** Default: silent. */
  readonly logger?: Logger | undefined
}

export interface ExportRouteOptions {
  /** How long a request waits for a small export, in milliseconds, before it is answered with 202. Default 20,000. */
  readonly waitMs?: number | undefined
  /** Whether an export that takes longer is run on by this handler. `false` where an alarm or a cron trigger calls `stepDue`. Default true. */
  readonly runs?: boolean | undefined
}

export interface ImportRouteOptions {
  /** How long a request waits for a small import, in milliseconds, before it is answered with 202. Default 20,000. */
  readonly waitMs?: number | undefined
  /** Whether an import that takes longer is run on by this handler. `false` on hosts that end with the request: each `POST /import` is then one step of `waitMs`. Default true. */
  readonly runs?: boolean | undefined
  /** Remembers how imports stand across restarts, such as the store of the exporter. Default: as long as the handler. Where an import goes on is in its target in any case. */
  readonly state?: StateStore | undefined
}

export interface ChangeRouteOptions {
  /** How many may follow at once; others are answered with 503. Default 256. */
  readonly maxFeeds?: number | undefined
  /** Longest silence, in milliseconds: proxies close what says nothing. Default 15,000. */
  readonly heartbeatMs?: number | undefined
  /** How often `authorize` is asked again about who follows, in milliseconds: a token that is revoked has its feeds for so long. Default 60,000. */
  readonly recheckMs?: number | undefined
  /** How this host makes a WebSocket of a request: `webSocketPair()`, `denoWebSockets()`, `bunWebSockets().upgrade`, or `nodeWebSockets().upgrade` of `@tidemark/http/ws`. Default: none, and there are only server-sent events. */
  readonly webSockets?: UpgradeWebSocket | undefined
  /** How far a client of a WebSocket may be behind with its answers, in bytes, before nothing more is sent. Default 1,048,576. */
  readonly maxUnansweredBytes?: number | undefined
}
