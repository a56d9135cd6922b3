// For tests of applications and adapters.
export { FakeRuntime, type FakeRuntimeOptions } from './runtime/fake-runtime.ts'
export { memoryStateStore } from './state/memory-state-store.ts'
export { memoryStorage, MemoryObjects, type MemoryStorageOptions, type StorageMoment } from './storage/memory-storage.ts'
export { MortalProcess } from './testing/mortal-process.ts'
