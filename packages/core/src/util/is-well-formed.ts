const LONE_SURROGATE = /\p{Surrogate}/u

/** Whether a text can be written as UTF-8: a surrogate without its other half would become another character. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text)
}
