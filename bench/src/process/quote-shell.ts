/** A command line for a POSIX shell in which every word stays one word. */
export function quoteShell(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll(`'`, `'\\''`)}'`).join(' ')
}
