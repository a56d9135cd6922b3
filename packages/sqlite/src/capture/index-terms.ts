/** What a unique index is over: the SQL of each of its terms, and its condition. */
export interface IndexTerms {
  /** As written, with COLLATE and ASC or DESC. */
  readonly terms: readonly string[]
  /** The SQL behind WHERE of a partial index. */
  readonly where: string | undefined
}

/** A quoted name or text, a comment, a word, or one other character. */
const TOKEN = /"(?:[^"]|"")*"|'(?:[^']|'')*'|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[\w$\u0080-\uFFFF]+|[\s\S]/g

interface Token {
  readonly text: string
  readonly at: number
  /** Open parentheses around it. */
  readonly depth: number
}

/**
 * Takes a CREATE INDEX statement apart where the catalogue gives no more than its text: at its outermost parentheses, commas
 * and WHERE. What stands between them is SQLite's own affair. `undefined` for what does not have that form.
 */
export function indexTerms(sql: string): IndexTerms | undefined {
  const tokens = tokenize(sql)
  const open = tokens.findIndex((token) => token.text === '(')
  const close = tokens.findIndex((token, index) => index > open && token.text === ')' && token.depth === 0)
  if (open < 0 || close < 0) return undefined
  const inside = tokens.slice(open + 1, close)
  const commas = inside.filter((token) => token.text === ',' && token.depth === 1).map((token) => token.at)
  const starts = [at(tokens[open]) + 1, ...commas.map((comma) => comma + 1)]
  const ends = [...commas, at(tokens[close])]
  const where = tokens.slice(close + 1).find((token) => token.text.toUpperCase() === 'WHERE')
  return {
    terms: starts.map((start, index) => sql.slice(start, ends[index]).trim()),
    where: where === undefined ? undefined : sql.slice(where.at + where.text.length).trim(),
  }
}

function at(token: Token | undefined): number {
  return token?.at ?? 0
}

/** A closing parenthesis has the depth that it leaves behind. */
function tokenize(sql: string): readonly Token[] {
  let depth = 0
  return [...sql.matchAll(TOKEN)].map(({ 0: text, index }) => {
    if (text === ')') depth -= 1
    const token = { text, at: index, depth }
    if (text === '(') depth += 1
    return token
  })
}

/** A term without ASC or DESC, which say nothing about what is equal. */
export function withoutDirection(term: string): string {
  return term.replace(/\s+(?:asc|desc)$/i, '')
}
