/**
 * PostgreSQL's array text (manual, 8.15.6) to JSON. An array whose subscripts don't begin at 1 keeps its own text, for
 * JSON has no place for them; so does one whose text is not understood.
 */
export function arrayJson(text: string, element: (text: string) => string, delimiter = ','): string {
  if (text[0] !== '{') return text
  return new ArrayReader(text, element, delimiter).read() ?? text
}

class ArrayReader {
  readonly #text: string
  readonly #element: (text: string) => string
  readonly #delimiter: string
  #at = 0

  constructor(text: string, element: (text: string) => string, delimiter: string) {
    this.#text = text
    this.#element = element
    this.#delimiter = delimiter
  }

  read(): string | undefined {
    const json = this.#array()
    return this.#at === this.#text.length ? json : undefined
  }

  /** From an opening brace to behind its closing one. */
  #array(): string {
    const items: string[] = []
    this.#at += 1
    while (this.#at < this.#text.length && this.#text[this.#at] !== '}') {
      items.push(this.#item())
      if (this.#text[this.#at] === this.#delimiter) this.#at += 1
    }
    this.#at += 1
    return `[${items.join(',')}]`
  }

  #item(): string {
    const first = this.#text[this.#at]
    if (first === '{') return this.#array()
    if (first === '"') return this.#element(this.#quoted())
    const bare = this.#bare()
    return bare === 'NULL' ? 'null' : this.#element(bare)
  }

  #quoted(): string {
    let value = ''
    let from = this.#at + 1
    for (this.#at = from; this.#at < this.#text.length; this.#at += 1) {
      const char = this.#text[this.#at]
      if (char === '"') break
      if (char !== '\\') continue
      value += this.#text.slice(from, this.#at)
      this.#at += 1
      from = this.#at
    }
    value += this.#text.slice(from, this.#at)
    this.#at += 1
    return value
  }

  #bare(): string {
    const from = this.#at
    while (this.#at < this.#text.length && this.#text[this.#at] !== this.#delimiter && this.#text[this.#at] !== '}') this.#at += 1
    return this.#text.slice(from, this.#at)
  }
}
