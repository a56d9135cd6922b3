import { describeChanges, describeSource, describeStorage, describeTarget } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { betterSqliteChangesSubject, betterSqliteSourceSubject, betterSqliteTargetSubject } from './test/better-sqlite-subjects.ts'
import { nodeSqliteChangesSubject } from './test/sqlite-changes-subjects.ts'
import { sessionChangesSubject } from './test/session-changes-subject.ts'
import { fsStorageSubject } from './test/fs-storage-subject.ts'
import { nodeSqliteSourceSubject, nodeSqliteTargetSubject } from './test/node-sqlite-subjects.ts'

describeSource(vitestRunner, nodeSqliteSourceSubject())
describeSource(vitestRunner, betterSqliteSourceSubject())
describeTarget(vitestRunner, nodeSqliteTargetSubject())
describeTarget(vitestRunner, nodeSqliteTargetSubject(100_000))
describeTarget(vitestRunner, betterSqliteTargetSubject())
describeTarget(vitestRunner, betterSqliteTargetSubject(100_000))
describeChanges(vitestRunner, nodeSqliteChangesSubject())
describeChanges(vitestRunner, nodeSqliteChangesSubject({ recursiveTriggers: true }))
describeChanges(vitestRunner, nodeSqliteChangesSubject({ replace: 'exact' }))
describeChanges(vitestRunner, betterSqliteChangesSubject())
describeChanges(vitestRunner, sessionChangesSubject())
describeStorage(vitestRunner, fsStorageSubject())
