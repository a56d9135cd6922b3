import { defineConfig } from 'vitest/config'
import { lanes } from './tooling/vitest-lanes.ts'

// One project per lane; a lane is a file suffix. `npm test -- --lane unit` runs one of them.
export default defineConfig({ test: { projects: lanes } })
