import { expect, test } from 'vitest'
import type { ChangeEvent } from '../change/change-event.ts'
import type { LogMessage, MessageSelection } from '../change/log-message.ts'
import { printPosition, toSequence, type LogPosition } from '../change/log-position.ts'
import { cutSlice } from './cut-slice.ts'
import { mergeMessages } from './merge-messages.ts'

/** Only what order and choice look at. */
const change = (position: string): ChangeEvent => ({ op: 'insert', source: { position } }) as unknown as ChangeEvent
const message = (position: string, prefix = 'p'): LogMessage => ({ op: 'message', prefix, source: { position } }) as unknown as LogMessage

function merged(events: readonly string[], messages: readonly string[], selection: MessageSelection | undefined): readonly string[] {
  return mergeMessages(events.map(change), messages.map((text) => message(text, text.slice(0, 1))), selection).map(({ source }) => source.position)
}

test('messages stand where they stood in the log', () => {
  expect(merged(['b', 'd'], ['a', 'c', 'e'], true)).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(merged([], ['a', 'b'], true)).toEqual(['a', 'b'])
  expect(merged(['b'], [], true)).toEqual(['b'])
  expect(merged(['b', 'd'], ['a', 'c', 'e'], { prefixes: ['c', 'x'] })).toEqual(['b', 'c', 'd'])
  expect(merged(['b'], ['a'], undefined)).toEqual(['b'])
})

test('what has no messages for a subscriber is passed on as it is', () => {
  const events = [change('a')]
  expect(mergeMessages(events, undefined, true)).toBe(events)
  expect(mergeMessages(events, [message('b')], undefined)).toBe(events)
  expect(mergeMessages(events, [message('b')], { prefixes: ['x'] })).toBe(events)
})

test('a slice is cut with its messages', () => {
  const at = (place: number): LogPosition => ({ epoch: 'e', sequence: toSequence(place), detail: '' })
  const places = [1, 2, 3].map((place) => printPosition(at(place)))
  const slice = { events: [], messages: places.map((place) => message(place)), schemas: [], begin: true, commit: true, position: at(3), bytes: 1, isLast: true }
  const positions = (part: ReturnType<typeof cutSlice>): unknown => part.messages?.map(({ source }) => source.position)
  expect(positions(cutSlice(slice, { after: at(1) }))).toEqual(places.slice(1))
  expect(positions(cutSlice(slice, { through: at(2) }))).toEqual(places.slice(0, 2))
})
