import type { Value } from './value.ts'

/** Fills a row that is a plain object. By assignment a column called `__proto__` would become the row's prototype. */
export function setColumn(row: Record<string, Value>, name: string, value: Value): void {
  if (name === '__proto__') Object.defineProperty(row, name, { value, enumerable: true, configurable: true, writable: true })
  else row[name] = value
}
