import { TidemarkError } from '../errors/tidemark-error.ts'

export function unrepresentable(column: string, format: string): TidemarkError {
  return new TidemarkError('VALUE_UNREPRESENTABLE', `The column '${column}' holds a value that ${format} can't keep.`, { remedy: 'Export as SQL, or leave the column out.' })
}
