import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import type { Route, RouteAnswer } from '../route.ts'
import type { Shape } from '../requests/check-shape.ts'

/** The OpenAPI 3.1 document of these routes. Made when they change, and kept beside them: no handler carries what makes it. */
export function makeOpenapi(routes: readonly Route[]): unknown {
  const paths = [...new Set(routes.map(({ path }) => path))]
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tidemark', version: '1', license: { name: 'MIT', identifier: 'MIT' },
      description: 'Replication, exports, changes and propagation over HTTP. Errors are application/problem+json: decide by `code`.',
    },
    // Relative to where this document is served.
    servers: [{ url: './' }],
    paths: Object.fromEntries(paths.map((path) => [templateOf(path), pathItem(routes.filter((route) => route.path === path))])),
    components: {
      schemas: { Problem: schemaOf(problemShape, 'output') },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'The token as the password, for browsers.' },
        peer: { type: 'http', scheme: 'bearer', description: 'A token or a signature that the receiver knows.' },
      },
    },
  }
}

const problemShape = v.object({
  type: v.string(), title: v.string(), status: v.number(), detail: v.string(),
  code: v.string(), retryable: v.boolean(), remedy: v.string(), engineCode: v.optional(v.string()),
  issues: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
})

function pathItem(routes: readonly Route[]): unknown {
  return Object.fromEntries(routes.map((route) => [route.method.toLowerCase(), operation(route)]))
}

function operation(route: Route): unknown {
  const { id, summary, scope, params, query, headers, body, answers } = route
  const parameters = [...parametersOf(params, 'path'), ...parametersOf(query, 'query'), ...parametersOf(headers, 'header')]
  return {
    'operationId': id,
    summary,
    'x-tidemark-scope': scope,
    'security': scope === 'peer' ? [{ peer: [] }] : [{ bearer: [] }, { basic: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { 'application/json': { schema: schemaOf(body, 'input') } } } }),
    'responses': { ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerOf(answer)])), default: failure },
  }
}

const failure = { description: 'What went wrong, and the way out.', content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }

function answerOf({ description, schema, contentType }: RouteAnswer): unknown {
  if (schema !== undefined) return { description, content: { 'application/json': { schema: schemaOf(schema, 'output') } } }
  return contentType === undefined ? { description } : { description, content: { [contentType]: {} } }
}

function parametersOf(shape: Shape | undefined, place: 'path' | 'query' | 'header'): readonly unknown[] {
  if (shape === undefined) return []
  const { properties = {}, required = [] } = schemaOf(shape, 'input')
  return Object.entries(properties).map(([name, schema]) => ({ name, in: place, required: place === 'path' || required.includes(name), schema }))
}

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, unknown>>
  readonly required?: readonly string[]
}

/** What checks in code alone can say, such as no NUL, is not in the schema. */
function schemaOf(shape: Shape, typeMode: 'input' | 'output'): ObjectSchema {
  const { $schema: _dialect, ...schema } = toJsonSchema(shape, { target: 'draft-2020-12', typeMode, errorMode: 'ignore' })
  return schema as ObjectSchema // only read where the shape is an object
}

function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}')
}
