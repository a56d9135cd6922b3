import { describe, expect, it } from 'vitest'
import { ChangeStreamPlugin, DataReplicationPlugin, ExportPlugin, PropagationPlugin, ReceiverPlugin, type ChangeStreamPluginOptions } from '../index.ts'

/** Never asked. */
const stub = {}

function asOptions(options: unknown): ChangeStreamPluginOptions {
  return options as ChangeStreamPluginOptions // what a caller without types may pass
}

describe.each([DataReplicationPlugin, ExportPlugin, ChangeStreamPlugin, PropagationPlugin, ReceiverPlugin])('%o', (Plugin) => {
  it('is not made without the object', () => {
    for (const options of [undefined, {}, { stub: undefined }, { stub: 'stub' }]) {
      expect(() => new Plugin(asOptions(options))).toThrowError(expect.objectContaining({ code: 'CONFIG_INVALID', issues: [expect.objectContaining({ path: 'stub' })] }))
    }
    expect(() => new Plugin(asOptions({ stub }))).not.toThrow()
  })
})

it('says every fault at once', () => {
  const events = [{ action: 'SELECT', schema: 'main', table: 'users' }]
  expect(() => new ChangeStreamPlugin(asOptions({ clients: 'root', events }))).toThrowError(expect.objectContaining({
    code: 'CONFIG_INVALID', issues: ['stub', 'clients', 'events'].map((path) => expect.objectContaining({ path }) as unknown),
  }))
  expect(() => new ChangeStreamPlugin(asOptions({ stub, clients: 'read', events: [{ action: '*', schema: 'main', table: 'users', column: 'name' }] }))).not.toThrow()
})
