/** What a view, routine, trigger or event was made under, and is run under ever after. */
export interface ProgramSettings {
  readonly sqlMode: string | null | undefined
  readonly collation: string | null | undefined
  readonly timeZone?: string | null | undefined
}

/** What the head of a dump sets. */
export const DUMP_SQL_MODE = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'
export const DUMP_COLLATION = 'utf8mb4_general_ci'

const DEFINER = /^(CREATE\s+(?:OR REPLACE\s+)?(?:ALGORITHM=\w+\s+)?)DEFINER=(?:`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?|\S+)\s+/u

/** The user who made it may not exist where it is loaded, and naming another user needs a privilege that few have. */
export function withoutDefiner(create: string): string {
  return create.replace(DEFINER, '$1')
}

/** The statement under its own settings, and those of the dump after it. */
export function asStored({ sqlMode, collation, timeZone }: ProgramSettings, statement: string): string {
  const own: string[] = []
  const back: string[] = []
  const change = (variable: string, value: string | null | undefined, usual: string): void => {
    if (value === null || value === undefined || value === usual) return
    own.push(`${variable} = '${value}'`)
    back.push(`${variable} = '${usual}'`)
  }
  change('sql_mode', sqlMode, DUMP_SQL_MODE)
  change('collation_connection', collation, DUMP_COLLATION)
  change('time_zone', timeZone, '+00:00')
  return own.length === 0 ? statement : `SET ${own.join(', ')};\n${statement}\nSET ${back.join(', ')};`
}

/** A statement with semicolons inside, for shells: they end one at the delimiter and leave strings and comments alone. */
export function delimited(statement: string): string {
  let delimiter = ';;'
  for (let i = 0; statement.includes(delimiter); i++) delimiter = `$$${i}$$`
  return `DELIMITER ${delimiter}\n${statement} ${delimiter}\nDELIMITER ;`
}
