/** Fields of a log line. Never row values, never secrets. */
export type LogFields = Readonly<Record<string, unknown>>

/** Fields first, then the message, as pino, consola and LogTape take them. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

const ignore = (): void => undefined

/** The default: says nothing. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
