import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { routes } from './routes.ts'

it('are all in the specification, with their scope', () => {
  const text = readFileSync(new URL('../../../docs/spec/http.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/^\| `((?:GET|POST|DELETE) [^`]+)` \| (\w+) \|/gm)].map(([, route, scope]) => `${route} ${scope}`)
  expect(documented).toEqual(routes.map(({ method, path, scope }) => `${method} ${path} ${scope}`))
})

it('have ids of their own', () => {
  const ids = routes.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})
