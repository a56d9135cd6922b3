// Made of openapi.json by tooling/openapi.ts; not for changing by hand.
/* oxlint-disable max-lines */
export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The status page: one file that asks these routes and nobody else */
        get: operations["statusPage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether all is well, and what is not */
        get: operations["health"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the caller may do, and what this handler has */
        get: operations["session"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics in the text format of Prometheus */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/configure": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Adds a replication, or replaces the options of the one with this name; its checkpoint stays */
        post: operations["configureReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/configure/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Forgets a replication and its checkpoint; the copied table and the logs stay */
        delete: operations["removeReplication"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/start/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Puts a replication on the schedule, also across restarts */
        post: operations["startReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/stop/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes a replication off the schedule, also across restarts */
        post: operations["stopReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/sync/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Syncs a replication now, or joins the sync under way, and waits for its end; a client that leaves does not end it */
        post: operations["syncReplication"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Every replication as it stands, without credentials */
        get: operations["replicationStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/data-replication/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Past syncs, newest first */
        get: operations["replicationLogs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export/dump": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same, for clients that only have GET */
        get: operations["getExport"];
        put?: never;
        /** Begins an export; a small one is answered with its file */
        post: operations["startExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Exports, newest first */
        get: operations["exports"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export/status/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An export as it stands */
        get: operations["exportStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export/download/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The dump, with Range; `path` is an object of one that has several, as its manifest names it */
        get: operations["downloadExport"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export/cancel/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Ends an export that has not ended, and removes what it wrote */
        post: operations["cancelExport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/export/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Ends an export, and deletes what it wrote */
        delete: operations["deleteExport"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Imports, newest first */
        get: operations["imports"];
        put?: never;
        /** Loads a dump of the storage into the target, or goes on with it; a small one is waited for */
        post: operations["startImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/import/status/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** An import as it stands */
        get: operations["importStatus"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/import/stop/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Stops an import after the slice at hand; what is loaded stays, and it goes on when it is asked for again */
        post: operations["stopImport"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/import/{exportId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Stops an import, and forgets how it stands, so that the dump can be loaded anew; what is loaded stays */
        delete: operations["forgetImport"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Changes as server-sent events, from now on or from behind `Last-Event-ID` */
        get: operations["followChanges"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/changes/socket": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The same messages over a WebSocket; a browser sends its token as a subprotocol */
        get: operations["openChangeSocket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/changes/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Sources of changes as they stand, with their subscribers and how far these are behind */
        get: operations["changeSources"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/peers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where this instance's writes are sent, and how far each has come */
        get: operations["peers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/propagate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Takes what another instance sends; see what propagation guarantees */
        post: operations["propagate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Problem: {
            type: string;
            title: string;
            status: number;
            detail: string;
            code: string;
            retryable: boolean;
            remedy: string;
            engineCode?: string;
            issues?: {
                path: string;
                message: string;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    statusPage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description HTML. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": unknown;
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    health: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process answers; `status` says how it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @enum {string} */
                        status: "ok" | "warn" | "error";
                        checks: {
                            /** @enum {string} */
                            kind: "replication" | "change-source" | "peer" | "export";
                            name: string;
                            /** @enum {string} */
                            status: "warn" | "error";
                            code?: string;
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Scopes, and capabilities that were given. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        scopes: ("read" | "operate" | "admin")[];
                        capabilities: ("replicator" | "exporter" | "importer" | "streams" | "propagator" | "receiver")[];
                        streams: string[];
                        sources: {
                            name: string;
                            isFixed: boolean;
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": unknown;
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    configureReplication: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    name: string;
                    sourceConfig: {
                        dialect: string;
                        host?: string;
                        port?: number;
                        user?: string;
                        password?: string;
                        database?: string;
                        defaultSchema?: string;
                        connectionString?: string;
                    };
                    sourceTable: string;
                    targetTable: string;
                    syncIntervalMinutes?: number;
                    trackingColumn?: string;
                    isActive?: boolean;
                    /** @enum {string} */
                    mode?: "incremental" | "full";
                    key?: string[];
                    columns?: string[];
                    schedule?: string;
                    /** @enum {string} */
                    nullTracking?: "error" | "include" | "exclude";
                    /** @enum {string} */
                    schemaPolicy?: "follow" | "stop" | "rebuild";
                };
            };
        };
        responses: {
            /** @description It is configured, and scheduled when it is active and the replicator runs. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    removeReplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startReplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is on the schedule; when it is overdue, it syncs at once. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopReplication: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is off the schedule, and a sync that was under way has ended after its slice. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    syncReplication: {
        parameters: {
            query?: {
                reconcile?: "true" | "false";
            };
            header?: never;
            path: {
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sync has succeeded. A failed one is never 200. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                        result: {
                            name: string;
                            rows: number;
                            rowsRead: number;
                            durationMs: number;
                            unsettled: {
                                marks: number;
                                sinceMs?: number;
                            };
                        };
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replicationStatus: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them, active or not. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        configs: {
                            name: string;
                            source_config: {
                                address: string;
                            };
                            source_table: string;
                            target_table: string;
                            sync_interval_minutes: number | null;
                            tracking_column: string | null;
                            last_sync_value: string | null;
                            last_sync_timestamp: string | null;
                            is_active: boolean;
                            is_running: boolean;
                            /** @enum {string} */
                            activity: "stopped" | "waiting" | "syncing" | "paused" | "failed";
                            /** @enum {string} */
                            phase: "new" | "loading" | "live";
                            progress: {
                                /** @enum {string} */
                                phase: "load" | "poll" | "reread" | "sweep";
                                rows: number;
                                estimatedRows?: number;
                                durationMs: number;
                            } | null;
                            loadedRows?: number;
                            unsettled: {
                                marks: number;
                                sinceMs?: number;
                            };
                            verifiedThrough?: string;
                            verifiedAtMs?: number;
                            lastSyncAtMs?: number;
                            nextSyncAtMs?: number;
                            lastResult?: {
                                name: string;
                                rows: number;
                                rowsRead: number;
                                durationMs: number;
                                unsettled: {
                                    marks: number;
                                    sinceMs?: number;
                                };
                            };
                            lastError?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    replicationLogs: {
        parameters: {
            query?: {
                limit?: string;
                name?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description At most `limit` of them; 50 by default. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        logs: {
                            config_name: string;
                            /** @enum {string} */
                            status: "success" | "error";
                            records_processed: number;
                            error_message: string | null;
                            sync_duration_ms: number;
                            /** Format: date-time */
                            created_at: string;
                            errorCode: string | null;
                            remedy: string | null;
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getExport: {
        parameters: {
            query?: {
                callbackUrl?: string;
                format?: "sql" | "csv" | "csv-guarded" | "ndjson" | "parquet";
                layout?: "single" | "directory";
            };
            header?: {
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A small export: the file itself, or the manifest of one that has several. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description It takes longer, or the request said `Prefer: respond-async`. `Location` is its status. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exportId: string;
                        /** @enum {string} */
                        status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                        message: string;
                        r2Key: string;
                        totalRowsExported: number;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startExport: {
        parameters: {
            query?: {
                callbackUrl?: string;
                format?: "sql" | "csv" | "csv-guarded" | "ndjson" | "parquet";
                layout?: "single" | "directory";
            };
            header?: {
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    callbackUrl?: string;
                    /** @enum {string} */
                    format?: "sql" | "csv" | "csv-guarded" | "ndjson" | "parquet";
                    /** @enum {string} */
                    layout?: "single" | "directory";
                    tables?: (string | {
                        name: string;
                        limit?: number;
                    })[];
                    exclude?: string[];
                    /** @enum {string} */
                    content?: "all" | "schema" | "data";
                    /** @enum {string} */
                    consistency?: "auto" | "snapshot" | "corrected" | "fuzzy";
                    partBytes?: number;
                    maxStatementBytes?: number;
                    concurrency?: number;
                    keepRowids?: boolean;
                    encrypt?: boolean;
                    compression?: string;
                    fileName?: string;
                    pauseMs?: number;
                    ttlMs?: number;
                };
            };
        };
        responses: {
            /** @description A small export: the file itself, or the manifest of one that has several. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description It takes longer, or the request said `Prefer: respond-async`. `Location` is its status. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exportId: string;
                        /** @enum {string} */
                        status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                        message: string;
                        r2Key: string;
                        totalRowsExported: number;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exports: {
        parameters: {
            query?: {
                limit?: string;
                before?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description At most `limit` of them, 50 by default, that are older than the export `before`. `next` is the `before` of the next page, and is there when there is one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exports: {
                            exportId: string;
                            /** @enum {string} */
                            status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                            r2Key: string;
                            totalRowsExported: number;
                            tablesTotal: number;
                            tablesProcessed: number;
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            updatedAt: string;
                            error?: string;
                            problem?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                            format: string;
                            /** @enum {string} */
                            layout: "single" | "directory";
                            consistency: string;
                            totalBytesExported: number;
                            estimatedRows?: number;
                            estimatedBytes?: number;
                            attempt: number;
                            notes: string[];
                            callback?: {
                                outcome: string;
                                attempts: number;
                                nextAtMs?: number;
                                error?: {
                                    code: string;
                                    message: string;
                                    retryable: boolean;
                                    remedy: string;
                                    detail?: string;
                                };
                            };
                            /** Format: date-time */
                            completedAt?: string;
                            nextAtMs?: number;
                        }[];
                        next?: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    exportStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far it has come, or how it ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exportId: string;
                        /** @enum {string} */
                        status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                        r2Key: string;
                        totalRowsExported: number;
                        tablesTotal: number;
                        tablesProcessed: number;
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                        format: string;
                        /** @enum {string} */
                        layout: "single" | "directory";
                        consistency: string;
                        totalBytesExported: number;
                        estimatedRows?: number;
                        estimatedBytes?: number;
                        attempt: number;
                        notes: string[];
                        callback?: {
                            outcome: string;
                            attempts: number;
                            nextAtMs?: number;
                            error?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                        };
                        /** Format: date-time */
                        completedAt?: string;
                        nextAtMs?: number;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    downloadExport: {
        parameters: {
            query?: {
                path?: string;
            };
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description The export is not complete yet. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exportId: string;
                        /** @enum {string} */
                        status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                        message: string;
                        r2Key: string;
                        totalRowsExported: number;
                    };
                };
            };
            /** @description The range that was asked for. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            /** @description It is what the client has. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    cancelExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It has ended; one that had ended before stays as it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        exportId: string;
                        /** @enum {string} */
                        status: "pending" | "processing" | "completed" | "failed" | "cancelled";
                        r2Key: string;
                        totalRowsExported: number;
                        tablesTotal: number;
                        tablesProcessed: number;
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                        format: string;
                        /** @enum {string} */
                        layout: "single" | "directory";
                        consistency: string;
                        totalBytesExported: number;
                        estimatedRows?: number;
                        estimatedBytes?: number;
                        attempt: number;
                        notes: string[];
                        callback?: {
                            outcome: string;
                            attempts: number;
                            nextAtMs?: number;
                            error?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                        };
                        /** Format: date-time */
                        completedAt?: string;
                        nextAtMs?: number;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteExport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing is left of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    imports: {
        parameters: {
            query?: {
                limit?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description At most `limit` of them; 50 by default. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        imports: {
                            importId: string;
                            exportId: string;
                            /** @enum {string} */
                            status: "loading" | "completed" | "failed" | "stopped";
                            isRunning: boolean;
                            totalRowsImported: number;
                            totalRows?: number;
                            totalBytesImported: number;
                            totalBytes: number;
                            notes: string[];
                            /** Format: date-time */
                            createdAt: string;
                            /** Format: date-time */
                            updatedAt: string;
                            error?: string;
                            problem?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    startImport: {
        parameters: {
            query?: never;
            header?: {
                "idempotency-key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    exportId: string;
                };
            };
        };
        responses: {
            /** @description It is complete, now or since before. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        importId: string;
                        exportId: string;
                        /** @enum {string} */
                        status: "loading" | "completed" | "failed" | "stopped";
                        isRunning: boolean;
                        totalRowsImported: number;
                        totalRows?: number;
                        totalBytesImported: number;
                        totalBytes: number;
                        notes: string[];
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                    };
                };
            };
            /** @description It takes longer, or the request said `Prefer: respond-async`. `Location` is its status. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        importId: string;
                        exportId: string;
                        /** @enum {string} */
                        status: "loading" | "completed" | "failed" | "stopped";
                        isRunning: boolean;
                        totalRowsImported: number;
                        totalRows?: number;
                        totalBytesImported: number;
                        totalBytes: number;
                        notes: string[];
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    importStatus: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far it has come, or how it ended. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        importId: string;
                        exportId: string;
                        /** @enum {string} */
                        status: "loading" | "completed" | "failed" | "stopped";
                        isRunning: boolean;
                        totalRowsImported: number;
                        totalRows?: number;
                        totalBytesImported: number;
                        totalBytes: number;
                        notes: string[];
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    stopImport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is stopped; one that had ended before stays as it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        importId: string;
                        exportId: string;
                        /** @enum {string} */
                        status: "loading" | "completed" | "failed" | "stopped";
                        isRunning: boolean;
                        totalRowsImported: number;
                        totalRows?: number;
                        totalBytesImported: number;
                        totalBytes: number;
                        notes: string[];
                        /** Format: date-time */
                        createdAt: string;
                        /** Format: date-time */
                        updatedAt: string;
                        error?: string;
                        problem?: {
                            code: string;
                            message: string;
                            retryable: boolean;
                            remedy: string;
                            detail?: string;
                        };
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    forgetImport: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                exportId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is forgotten here. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** @constant */
                        success: true;
                        message: string;
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followChanges: {
        parameters: {
            query?: {
                tables?: string;
                ops?: string;
                source?: string;
                stream?: string;
                snapshot?: "initial" | "none";
                lastEventId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Messages `change`, `schema` and `checkpoint`; `problem` when it ends by an error. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": unknown;
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    openChangeSocket: {
        parameters: {
            query?: {
                tables?: string;
                ops?: string;
                source?: string;
                stream?: string;
                snapshot?: "initial" | "none";
                lastEventId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A WebSocket of the subprotocol `tidemark.v1`. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    changeSources: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All sources of all streams. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        sources: {
                            stream: string;
                            name: string;
                            connector: string;
                            address: string;
                            /** @enum {string} */
                            state: "stopped" | "connecting" | "running" | "reconnecting" | "failed";
                            head?: string;
                            lastError?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                            capabilities: {
                                [key: string]: boolean | string;
                            };
                            subscribers: {
                                id: string;
                                state: string;
                                durable: boolean;
                                position: string;
                                lag?: {
                                    events?: number;
                                    bytes?: number;
                                    ms?: number;
                                };
                            }[];
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    peers: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All peers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        origin: string;
                        /** @enum {string} */
                        state: "stopped" | "running";
                        peers: {
                            name: string;
                            address: string;
                            /** @enum {string} */
                            phase: "new" | "copying" | "streaming" | "retrying" | "resting";
                            position?: string;
                            behindMs: number;
                            failures: number;
                            lastError?: {
                                code: string;
                                message: string;
                                retryable: boolean;
                                remedy: string;
                                detail?: string;
                            };
                            retryAtMs?: number;
                            tables: {
                                [key: string]: unknown;
                            };
                            sent: {
                                messages: number;
                                changes: number;
                                rowsCopied: number;
                            };
                        }[];
                    };
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    propagate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description How far the sender's log is applied. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description What went wrong, and the way out. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
