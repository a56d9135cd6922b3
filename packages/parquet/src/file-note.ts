import { KINDS, type KindName } from './column-kind.ts'

/** Key in the file's metadata. */
export const FILE_NOTE = 'tidemark'

/** What a file's own types do not say. */
export interface FileNote {
  /** In the order of the columns. */
  readonly kinds: readonly KindName[]
  /** A table may have no columns, and rows all the same. */
  readonly rows: number
}

export function fileNote({ kinds, rows }: FileNote): string {
  return JSON.stringify({ version: 1, kinds, rows })
}

/** `undefined` for what is none. */
export function parseFileNote(text: string | undefined): FileNote | undefined {
  const { version, kinds, rows } = Object(JSON.parse(text ?? 'null')) as Readonly<Record<string, unknown>> // an object of whatever it is
  if (version !== 1 || !Array.isArray(kinds) || !Number.isSafeInteger(rows)) return undefined
  return kinds.every((kind) => typeof kind === 'string' && Object.hasOwn(KINDS, kind)) ? { kinds: kinds as readonly KindName[], rows: Number(rows) } : undefined
}
