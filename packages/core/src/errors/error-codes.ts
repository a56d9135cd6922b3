/** What the loop may do about an error of a code, and what a person should do. */
export interface ErrorDefinition {
  /** Whether trying the same thing again, later and unchanged, can succeed. Decides backoff. */
  readonly retryable: boolean
  /** One sentence that names the way out. An error may carry a more exact one. */
  readonly remedy: string
}

/**
 * Every code a Tidemark error can carry. Codes are API: they are never renamed, messages may be.
 *
 * `docs/guides/errors.md` is generated from this table and its comments.
 */
export const ERRORS = {
  /** Options are wrong. Every fault found is listed in `issues`, each with a path. */
  CONFIG_INVALID: { retryable: false, remedy: 'Correct the options named in `issues`.' },
  /** No replication, slot or source of this name is known here. */
  NAME_UNKNOWN: { retryable: false, remedy: 'Check the name against status(), or configure it first.' },
  /** The adapter says in its capabilities that it can't do this. */
  NOT_SUPPORTED: { retryable: false, remedy: 'Use an adapter whose capabilities include it.' },
  /** An operation was called on something already closed or stopped. */
  CLOSED: { retryable: false, remedy: 'Create a new instance.' },
  /** The caller's signal, or stop(), ended the operation. Work committed before stays. */
  ABORTED: { retryable: false, remedy: 'Start it again when you want it to go on: it resumes where it stopped.' },
  /** An operation took longer than its own limit. */
  TIMEOUT: { retryable: true, remedy: 'Raise the time limit, or look at what the server is waiting for.' },
  /** A secret given by reference could not be resolved. */
  SECRET_MISSING: { retryable: false, remedy: 'Set the environment variable or make the function return the secret.' },

  /** The source did not answer: refused, unreachable, or the connection broke. */
  SOURCE_UNREACHABLE: { retryable: true, remedy: 'Check host, port and network; it is tried again with backoff.' },
  /** The source refused the user or the password. */
  SOURCE_AUTH_FAILED: { retryable: false, remedy: 'Check user, password and database, and the server\'s host rules.' },
  /** The server's TLS certificate could not be verified, or it does not speak TLS. */
  SOURCE_TLS_FAILED: { retryable: false, remedy: 'Give the certificate authority in `tls.ca`, or allow plaintext explicitly.' },
  /** The source user may not read this table. */
  SOURCE_PERMISSION_DENIED: { retryable: false, remedy: 'Grant SELECT on the table to the source user.' },
  /** The source has no such table or view. */
  TABLE_UNKNOWN: { retryable: false, remedy: 'Check the name, its schema and its letter case.' },
  /** The table has no such column. */
  COLUMN_UNKNOWN: { retryable: false, remedy: 'Check the column\'s name and letter case.' },
  /** The source is temporarily unable: starting, out of connections, a deadlock, a read conflict. */
  SOURCE_BUSY: { retryable: true, remedy: 'It is tried again with backoff; raise the server\'s limits if it stays.' },
  /** The source reported an error that has no code of its own here; see `cause.code`. */
  SOURCE_FAILED: { retryable: false, remedy: 'Look the engine\'s code in `detail` up in its manual.' },
  /** The driver gave a result that can't be right: holes, a wrong count, keys out of order. */
  SOURCE_CORRUPT_RESULT: { retryable: true, remedy: 'The connection was thrown away and it is tried again; nothing was written.' },
  /** The source's transaction counter went backwards: it was restored from a backup or replaced. */
  SOURCE_REWOUND: { retryable: false, remedy: 'Call resync(name) to copy the table anew, or resetCursor(name) to go on from here.' },
  /** The server is older than this adapter supports. */
  SERVER_UNSUPPORTED: { retryable: false, remedy: 'Use a supported server version; the package\'s README lists them.' },

  /** The table has no primary key, and this mode needs one. */
  KEY_REQUIRED: { retryable: false, remedy: 'Name a unique key in `key`, or use mode: \'full\'.' },
  /** The tracking column has NULLs, which an incremental sync can never see. */
  TRACKING_NULLS: { retryable: false, remedy: 'Set `nullTracking` to \'include\' or \'exclude\', or make the column NOT NULL.' },
  /** The source table changed in a way that the policy does not follow. */
  SCHEMA_DRIFT: { retryable: false, remedy: 'Call resync(name), or set `schemaPolicy` to \'follow\' or \'rebuild\'.' },
  /** A value can't be stored exactly in the target, and the column's policy is to stop. */
  VALUE_UNREPRESENTABLE: { retryable: false, remedy: 'Set `onUnrepresentable` or another `type` for the column.' },

  /** Changes between a position and now can't be delivered: purged, written unseen, or the database was restored or replaced. */
  CHANGE_GAP: { retryable: false, remedy: 'Subscribe with a snapshot under a new id, or set `onGap: \'resnapshot\'`.' },
  /** A checkpoint belongs to another source, database or log. */
  CHECKPOINT_FOREIGN: { retryable: false, remedy: 'Use the checkpoint with the source it came from, or subscribe without it.' },
  /** The table can't be captured: a view, a virtual table, or one without what the driver needs. */
  TABLE_NOT_CAPTURABLE: { retryable: false, remedy: 'Capture the tables behind it, or use a source whose capabilities include it.' },
  /** The log holds what this version can't decode: an unknown or malformed message. Nothing behind it was delivered. */
  LOG_UNDECODABLE: { retryable: false, remedy: 'Upgrade Tidemark; report it if this is the latest version.' },
  /** The server, as it is set up, can't stream its changes: `detail` says what stands in the way. */
  LOG_UNAVAILABLE: { retryable: false, remedy: 'Change the setting that the message names.' },
  /** A table of the log's name exists and Tidemark did not make it, or another log has it. */
  LOG_NOT_OWNED: { retryable: false, remedy: 'Choose another `log` name, or drop the existing table.' },
  /** The transactions that a source sends before they have ended are larger than there is room for: `detail` says where, `memory` or `spool`. */
  SPOOL_FULL: { retryable: false, remedy: 'Raise the bounds in `streaming` or give it a `spool`, or set `streaming: false`: the server then keeps them.' },
  /** The spool could not be written, or did not give back what was written to it. It is thrown away, and the source sends everything again. */
  SPOOL_FAILED: { retryable: true, remedy: 'Look at the disk of the spool: `detail` has the system\'s code, or `corrupt`.' },
  /** A subscriber of this id is already at work in this stream. */
  SUBSCRIBER_EXISTS: { retryable: false, remedy: 'Choose another id, or unsubscribe the first.' },
  /** A live subscriber stayed over its budget and did not gain; it was closed so that nobody waits for it. */
  SUBSCRIBER_LAGGED: { retryable: false, remedy: 'Subscribe again from the checkpoint in `detail`, raise the budget, or make it durable.' },
  /** A handler failed more often than allowed; its subscriber stopped before the batch. */
  HANDLER_FAILED: { retryable: false, remedy: 'Mend the handler and subscribe again: the batch comes again. Or give a `deadLetter`.' },

  /** The target could not be opened or reached. */
  TARGET_UNREACHABLE: { retryable: true, remedy: 'Check the path or address of the target; it is tried again with backoff.' },
  /** The target's server refused the token or the user. */
  TARGET_AUTH_FAILED: { retryable: false, remedy: 'Check the token, its expiry and its rights on this database.' },
  /** Another writer holds the target's lock. */
  TARGET_BUSY: { retryable: true, remedy: 'It is tried again with backoff; look for long write transactions.' },
  /** The target has no room left, or its disk failed. */
  TARGET_FULL: { retryable: true, remedy: 'Free space on the target\'s disk.' },
  /** The target can't be written to. */
  TARGET_READ_ONLY: { retryable: false, remedy: 'Open the target with write permission.' },
  /** A table of this name exists in the target and Tidemark did not make it. */
  TARGET_NOT_OWNED: { retryable: false, remedy: 'Choose another `targetTable`, or drop the existing table.' },
  /** A row is larger than the target accepts. */
  TARGET_ROW_TOO_LARGE: { retryable: false, remedy: 'Leave the column out with `columns`, or use a target with a higher limit.' },
  /** A constraint of the target table refused the rows; nothing of the batch was written. */
  TARGET_CONSTRAINT: { retryable: false, remedy: 'Drop the constraint, or keep `secondaryUniques` at \'index\'.' },
  /** The target reported an error that has no code of its own here; see `cause.code`. */
  TARGET_FAILED: { retryable: false, remedy: 'Look the engine\'s code in `detail` up in its manual.' },
  /** The target file is damaged or is not a database. */
  TARGET_CORRUPT: { retryable: false, remedy: 'Restore the target from a backup, or delete it and sync anew.' },

  /** No export of this id is known here. */
  EXPORT_UNKNOWN: { retryable: false, remedy: 'Check the id against list(); ended exports are forgotten when their time is up.' },
  /** The export has not ended, or did not end well: there is nothing to download or verify. */
  EXPORT_NOT_READY: { retryable: false, remedy: 'Look at status(id): wait for `completed`, or start another export.' },
  /** A download token that is not one of this exporter, was altered, or has expired. */
  DOWNLOAD_REFUSED: { retryable: false, remedy: 'Ask for another token.' },
  /** The selection matches no table. */
  NOTHING_SELECTED: { retryable: false, remedy: 'Check `tables`, `exclude` and the rights of the user who reads.' },
  /** The instant that an export reads can't be had any more: the connection that held it is gone. */
  SNAPSHOT_LOST: { retryable: false, remedy: 'The copy is begun anew by itself; keep the process that exports alive for as long as it takes.' },
  /** The definitions of exported tables changed while they were read. */
  SCHEMA_CHANGED: { retryable: false, remedy: 'Start another export once the schema stays as it is.' },

  /** The storage did not answer: refused, unreachable, or the connection broke. */
  STORAGE_UNREACHABLE: { retryable: true, remedy: 'Check endpoint and network; it is tried again with backoff.' },
  /** The storage asks to slow down. */
  STORAGE_BUSY: { retryable: true, remedy: 'It is tried again with backoff; lower the concurrency if it stays.' },
  /** The storage refused the key, its signature, or what it may do. */
  STORAGE_AUTH_FAILED: { retryable: false, remedy: 'Check the access key, the secret, the region, the clock and the rights on this bucket.' },
  /** The storage has no room left, or no more is allowed. */
  STORAGE_FULL: { retryable: true, remedy: 'Free space, or raise the quota; the export goes on from there.' },
  /** There is no such bucket or folder. */
  BUCKET_UNKNOWN: { retryable: false, remedy: 'Create it, or check its name, region and endpoint.' },
  /** The storage reported an error that has no code of its own here; see `detail`. */
  STORAGE_FAILED: { retryable: false, remedy: 'Look the storage\'s code in `detail` up in its manual.' },
  /** There is no object of this key. */
  OBJECT_UNKNOWN: { retryable: false, remedy: 'Check the key; a dump whose export did not complete has no objects to read.' },
  /** An object of this key exists already. */
  OBJECT_EXISTS: { retryable: false, remedy: 'Choose another key, or delete the object.' },
  /** The multipart upload is not there: completed, aborted or expired. */
  UPLOAD_UNKNOWN: { retryable: false, remedy: 'The object is written anew; look for a lifecycle rule that aborts uploads too early.' },
  /** Parts of an upload are missing, were replaced or have sizes that the storage does not allow. */
  UPLOAD_PARTS_INVALID: { retryable: false, remedy: 'The object is written anew; look for a second process at the same export.' },

  /** There is no manifest: the export did not complete, or the place is wrong. */
  DUMP_INCOMPLETE: { retryable: false, remedy: 'Check the place; let the export complete before it is read.' },
  /** An object of a dump is not what its manifest says: cut short, altered or undecodable. The message names it. */
  DUMP_CORRUPT: { retryable: false, remedy: 'Fetch the named object from another copy, or export again.' },
  /** The dump is one of another engine, or holds definitions that this target can't take. */
  DUMP_FOREIGN: { retryable: false, remedy: 'Load it with the engine\'s own shell, or export as CSV, NDJSON or Parquet.' },
  /** The dump was written by a newer version of Tidemark. */
  DUMP_NEWER: { retryable: false, remedy: 'Upgrade Tidemark; nothing was loaded.' },
  /** The dump is encrypted, and the key that `detail` names was not given. */
  DUMP_KEY_MISSING: { retryable: false, remedy: 'Give the key in `encryption`, under the name that the manifest has.' },
  /** The key of this name is not the one that the dump is encrypted with. */
  DUMP_KEY_WRONG: { retryable: false, remedy: 'Give the key that the dump was written with; new keys get new names.' },
  /** The database differs from the dump it was compared with. The message names the first difference. */
  DUMP_DIFFERS: { retryable: false, remedy: 'Load the dump into an empty database, or take another dump.' },
  /** A statement of a dump failed in the target; the message has its object and line. What was loaded before stays. */
  STATEMENT_FAILED: { retryable: false, remedy: 'Look at that line. Load into an empty database, with the engine that the dump is from.' },
  /** The callback's address is not allowed. */
  CALLBACK_REFUSED: { retryable: false, remedy: 'Add its origin to `callbacks.allowedOrigins`; addresses inside a network are never called unless that names them.' },
  /** The callback got no answer, or one that is not 2xx; `detail` has its status. */
  CALLBACK_FAILED: { retryable: true, remedy: 'Look at the receiver; it is called again, later each time, for about three days.' },

  /** A peer did not answer: refused, unreachable, too slow, or the connection broke. */
  PEER_UNREACHABLE: { retryable: true, remedy: 'Check the peer\'s address and network; its changes wait in the log meanwhile.' },
  /** A peer can't take changes just now. */
  PEER_BUSY: { retryable: true, remedy: 'It is tried again with backoff; look at the peer if it stays.' },
  /** A peer refused the token or the signature. */
  PEER_AUTH_FAILED: { retryable: false, remedy: 'Give the peer\'s token, or the secret that both sign with, and look at both clocks.' },
  /** A peer refused a message as too large. */
  PEER_TOO_LARGE: { retryable: false, remedy: 'Raise `maxMessageBytes` of the receiver: a single row is larger than it takes.' },
  /** A peer answered what no receiver of this version answers; `detail` has the status. */
  PEER_ANSWER_INVALID: { retryable: false, remedy: 'Check that the address is that of a receiver, and that both run the same version.' },
  /** A table differs between two peers: a column, the key, or it is missing. Only this table is affected. */
  PEER_SCHEMA_DIFFERS: { retryable: false, remedy: 'Bring the table in line on both; it is then copied by itself. Or set `followsSchema` on the receiver.' },
  /** The receiver takes nothing of this table. */
  PEER_TABLE_REFUSED: { retryable: false, remedy: 'Name the table in `tables` of the receiver, or leave it out of those of the propagator.' },
  /** A peer's table has rows that did not come from this instance. */
  PEER_NOT_EMPTY: { retryable: false, remedy: 'Empty the table, set `replacesRows` on the receiver, or `snapshot: false` on the peer when its rows are the same already.' },
  /** Two instances use one name, or a log was made anew under a name that a peer knows. */
  ORIGIN_TAKEN: { retryable: false, remedy: 'Give every instance its own `origin`; set `takesOver: true` for the one that replaces another.' },
  /** A peer's clock is further ahead than it may be: its writes would win over all others until then. */
  CLOCK_AHEAD: { retryable: true, remedy: 'Set the clocks of both; what the peer wrote waits until its time has come.' },
  /** Two instances resolve conflicts in different ways. */
  PEER_POLICY_DIFFERS: { retryable: false, remedy: 'Set the same `conflicts` on the propagators and receivers of all instances.' },
  /** A request is malformed, or, at a receiver, of a version that it does not know. */
  REQUEST_INVALID: { retryable: false, remedy: 'Send what the same version of Tidemark sends; docs/spec/propagation.md has the format.' },
  /** A request has no valid token or signature, or may not send for this origin. */
  REQUEST_UNAUTHORIZED: { retryable: false, remedy: 'Send the receiver\'s token, or sign with its secret.' },
  /** A request's credentials do not allow this, or it is sent by a page of another site. */
  REQUEST_FORBIDDEN: { retryable: false, remedy: 'Send credentials that have the scope which `detail` names.' },
  /** A request is larger than is taken. */
  REQUEST_TOO_LARGE: { retryable: false, remedy: 'Send less at once, or raise `maxMessageBytes` of the receiver, `maxBodyBytes` of the handler.' },
  /** The HTTP handler has no such route, or was made without what it serves. */
  ROUTE_UNKNOWN: { retryable: false, remedy: 'Look at /openapi.json for what there is.' },
  /** A request was sent under an idempotency key that another one has. */
  IDEMPOTENCY_KEY_REUSED: { retryable: false, remedy: 'Send every request under a key of its own, and a key again only with the very same request.' },
  /** The handler's `limit` has had enough of who asks. */
  TOO_MANY_REQUESTS: { retryable: true, remedy: 'Wait for as long as `Retry-After` says.' },
  /** As many clients follow changes over HTTP as may. */
  TOO_MANY_FEEDS: { retryable: true, remedy: 'Try again later, or raise `changes.maxFeeds` of the handler.' },

  /** Another worker took the lease: what this one still had in hand was not written. */
  LEASE_LOST: { retryable: true, remedy: 'Nothing to do when two workers share a target; otherwise look for a second one.' },
  /** Another worker is at this replication right now. */
  LEASE_HELD: { retryable: true, remedy: 'Wait for it to end; a crashed worker\'s lease runs out by itself.' },
  /** A stored state was written by a newer version of Tidemark. */
  STATE_NEWER: { retryable: false, remedy: 'Upgrade Tidemark; this version left the state untouched.' },
  /** A stored state can't be read. */
  STATE_CORRUPT: { retryable: false, remedy: 'Call resync(name) to begin this replication anew.' },
  /** A compare-and-set found another version than expected. */
  STATE_CONFLICT: { retryable: true, remedy: 'Read the state again and repeat the change.' },
  /** A bug in Tidemark: a case that can't happen happened. */
  INTERNAL: { retryable: false, remedy: 'Report it with the code and the stack.' },
} as const satisfies Readonly<Record<string, ErrorDefinition>>

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS
