/** Years 1 to 9999: the only ones whose text order is their time order. */
const DATE = /^\d{4}-\d\d-\d\d$/

/** PostgreSQL's ISO text to `YYYY-MM-DDTHH:MM:SS.ffffff`, with `Z` for `utc`. `undefined`: no such form exists. */
export function timestampText(text: string, utc: boolean): string | undefined {
  if (text === 'infinity' || text === '-infinity') return text
  const end = utc ? text.length - 3 : text.length
  if (utc && !text.endsWith('+00')) return undefined
  if (end < 19 || end > 26 || text[10] !== ' ' || !DATE.test(text.slice(0, 10))) return undefined
  // A BC date ends in text: nothing but digits may follow the point.
  if (end > 19 && !/^\.\d+$/.test(text.slice(19, end))) return undefined
  return `${text.slice(0, 10)}T${text.slice(11, 19)}${fraction(text, end)}${utc ? 'Z' : ''}`
}

function fraction(text: string, end: number): string {
  return end === 19 ? '.000000' : `.${text.slice(20, end).padEnd(6, '0')}`
}

/** `YYYY-MM-DD` or an infinity; `undefined` for BC and years above 9999. */
export function dateText(text: string): string | undefined {
  return DATE.test(text) || text === 'infinity' || text === '-infinity' ? text : undefined
}

const PARTS = /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?\+00( BC)?$/

/** Microseconds since 1970 UTC; `undefined` for infinities and beyond 64 bits. */
export function epochMicroseconds(text: string): bigint | undefined {
  const match = PARTS.exec(text)
  if (match === null) return undefined
  const [, year = '', month = '', day = '', hour = '', minute = '', second = '', micros = '', bc] = match
  const days = daysFromCivil(bc === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day))
  const seconds = days * 86_400 + Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  const result = BigInt(seconds) * 1_000_000n + BigInt(micros.padEnd(6, '0'))
  return BigInt.asIntN(64, result) === result ? result : undefined
}

/** Days since 1970-01-01 of a date in the proleptic Gregorian calendar, by years that begin in March. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

const CIVIL_SECONDS_PER_DAY = 86_400n

/** The inverse of {@link epochMicroseconds}, as text that PostgreSQL reads in every date style. */
export function timestampOfEpoch(microseconds: bigint): string {
  const seconds = floorDivide(microseconds, 1_000_000n)
  const days = Number(floorDivide(seconds, CIVIL_SECONDS_PER_DAY))
  const ofDay = Number(seconds - BigInt(days) * CIVIL_SECONDS_PER_DAY)
  const time = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60, ofDay % 60].map((part) => String(part).padStart(2, '0')).join(':')
  const micros = String(microseconds - seconds * 1_000_000n).padStart(6, '0')
  const { year, month, day } = civilFromDays(days)
  const date = [String(year > 0 ? year : 1 - year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join('-')
  return `${date} ${time}.${micros}+00${year > 0 ? '' : ' BC'}`
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365)
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1 }
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor
  return value % divisor < 0n ? quotient - 1n : quotient
}
