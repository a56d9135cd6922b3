import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runtimeCommand, type RuntimeName } from './runtime-command.ts'

const SCRIPT = fileURLToPath(new URL('session-facts.ts', import.meta.url))

function facts(runtime: RuntimeName): unknown {
  const [command, ...args] = runtimeCommand(runtime)
  return JSON.parse(execFileSync(command, [...args, SCRIPT], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } }))
}

const EXPECTED = {
  changes: [
    '{"op":"insert","table":"k","key":{"a":"x\\u00001","b":"1n"},"before":null,"after":{"a":"x\\u00001","b":"1n"}}',
    '{"op":"insert","table":"k","key":{"a":"x\\u00002","b":2.5},"before":null,"after":{"a":"x\\u00002","b":2.5}}',
    '{"op":"insert","table":"k","key":{"a":"y","b":[0,255]},"before":null,"after":{"a":"y","b":[0,255]}}',
    '{"op":"insert","table":"t","key":{"id":1},"before":null,"after":{"id":1,"v":"1n","name":"a\\u0000b","shout":"a\\u0000b!"}}',
    '{"op":"insert","table":"t","key":{"id":2},"before":null,"after":{"id":2,"v":1,"name":"é😀","shout":"é😀!"}}',
    '{"op":"insert","table":"t","key":{"id":3},"before":null,"after":{"id":3,"v":"9223372036854775807n","name":null,"shout":null}}',
    '{"op":"insert","table":"t","key":{"id":4},"before":null,"after":{"id":4,"v":"-Infinity","name":"","shout":"!"}}',
    '{"op":"update","table":"t","key":{"id":1},"before":{"id":1,"v":"1n","name":"a\\u0000b","shout":"a\\u0000b!"},"after":{"id":1,"v":[0,255],"name":"a\\u0000b","shout":"a\\u0000b!"},"changed":["v"]}',
    '{"op":"update","table":"t","key":{"id":2},"before":{"id":2,"v":1,"name":"é😀","shout":"é😀!"},"after":{"id":2,"v":1,"name":"c\uFFFD","shout":"c\uFFFD!"},"changed":["name","shout"]}',
  ],
  rows: [
    { id: 1, v: [0, 255], name: 'a\0b', shout: 'a\0b!' },
    { id: 2, v: 1, name: 'c\uFFFD', shout: 'c\uFFFD!' },
    { id: 3, v: '9223372036854775807n', name: null, shout: null },
    { id: 4, v: '-Infinity', name: '', shout: '!' },
    { a: 'x\u{0}1', b: '1n' },
    { a: 'x\u{0}2', b: 2.5 },
    { a: 'y', b: [0, 255] },
  ],
  woken: ['wake', 'wake', 'wake'],
  left: { n: 0 },
}

it.each<RuntimeName>(['node', 'bun', 'deno'])('%s tells the same of a history', (runtime) => {
  expect(facts(runtime)).toEqual(EXPECTED)
})
