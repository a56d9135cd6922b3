// For tests of applications and adapters.
export { FakeRuntime, type FakeRuntimeOptions } from './runtime/fake-runtime.ts'
