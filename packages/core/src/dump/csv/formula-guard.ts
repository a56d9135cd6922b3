/**
 * How a spreadsheet knows a formula (owasp.org, "CSV Injection"): `=`, `+`, `-`, `@`, their wide forms, and the white space that some drop before they look. Apostrophes may
 * stand in front: those are guarded texts, or would be taken for such.
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/
const GUARDED = /^'+[=+\-@\t\r\n＝＋－＠]/

/** With an apostrophe before what would be read as a formula, by which spreadsheets know a text. */
export function guardFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text
}

/** The text that was guarded. One that no guard has gone over is another, if an apostrophe and a formula stand first in it. */
export function unguardFormula(text: string): string {
  return GUARDED.test(text) ? text.slice(1) : text
}
