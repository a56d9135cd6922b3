import { describe, expect, test } from 'vitest'
import { BROKEN_CHANGES } from './broken/broken-changes.ts'
import { BROKEN_SOURCES } from './broken/broken-sources.ts'
import { BROKEN_STORAGES } from './broken/broken-storages.ts'
import { BROKEN_TARGETS } from './broken/broken-targets.ts'
import { expandIds } from './broken/expand-ids.ts'
import { CHANGE_CASES, describeChanges } from './changes/change-suite.ts'
import { memoryChangeSubject } from './memory/memory-change-subject.ts'
import { memorySourceSubject } from './memory/memory-source-subject.ts'
import { memoryStorageSubject } from './memory/memory-storage-subject.ts'
import { memoryTargetSubject } from './memory/memory-target-subject.ts'
import { describeSource, SOURCE_CASES } from './source/source-suite.ts'
import { describeStorage, STORAGE_CASES } from './storage/storage-suite.ts'
import { runCases, type CaseResult } from './suite/run-cases.ts'
import { describeTarget, TARGET_CASES } from './target/target-suite.ts'
import { vitestRunner } from './vitest.ts'

describeSource(vitestRunner, memorySourceSubject())
describeSource(vitestRunner, memorySourceSubject({
  name: 'memory, with everything switched off',
  capabilities: { settling: 'grace', streamsRows: false, diagnoses: false, reportsSchemaVersion: false },
  facts: { openTransactions: false, blocksReads: false, unreachable: false, wrongPassword: false },
}))
describeTarget(vitestRunner, memoryTargetSubject())
describeStorage(vitestRunner, memoryStorageSubject())
describeChanges(vitestRunner, memoryChangeSubject())
describeChanges(vitestRunner, memoryChangeSubject({ name: 'memory, merged transactions', capabilities: { transactions: 'merged' } }))
describeChanges(vitestRunner, memoryChangeSubject({ name: 'memory, read once', capabilities: { rereads: false, before: 'key' } }))
describeChanges(vitestRunner, memoryChangeSubject({
  name: 'memory, live only and net',
  capabilities: {
    resumes: false, rereads: false, seesAllWriters: false, changes: 'net', keylessTables: false, snapshots: false, schemaChanges: false,
  },
  facts: {
    blobHoldsAny: false, cascades: false, truncates: false, generated: [], withoutRowid: false, alters: [], views: false, virtualTables: false, purges: false,
    restores: false, replacesDatabase: false, wakes: false, unreachable: false, wrongPassword: false,
  },
}))

// The suites themselves: each mistake has to be seen by the cases named for it, and by no others.
describe('broken sources', () => {
  for (const { name, wrap, fails } of BROKEN_SOURCES) {
    test(name, async () => {
      const results = await runCases(SOURCE_CASES, memorySourceSubject({ wrap }))
      expect(failedIds(results)).toEqual(expandIds(fails, SOURCE_CASES).toSorted())
    })
  }
})

describe('broken targets', () => {
  for (const { name, wrap, fails } of BROKEN_TARGETS) {
    test(name, async () => {
      const results = await runCases(TARGET_CASES, memoryTargetSubject({ wrap }))
      expect(failedIds(results)).toEqual(expandIds(fails, TARGET_CASES).toSorted())
    })
  }
})

describe('broken storages', () => {
  for (const { name, wrap, fails } of BROKEN_STORAGES) {
    test(name, async () => {
      const results = await runCases(STORAGE_CASES, memoryStorageSubject(wrap))
      expect(failedIds(results)).toEqual(expandIds(fails, STORAGE_CASES).toSorted())
    })
  }
})

describe('broken changes', () => {
  for (const { name, subject, fails } of BROKEN_CHANGES) {
    test(name, async () => {
      const results = await runCases(CHANGE_CASES, memoryChangeSubject(subject))
      expect(failedIds(results)).toEqual(expandIds(fails, CHANGE_CASES).toSorted())
    })
  }
})

function failedIds(results: readonly CaseResult[]): readonly string[] {
  return results.filter((result) => result.status === 'failed').map((result) => result.id).toSorted()
}
