import { describeSource, describeTarget } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { betterSqliteSourceSubject, betterSqliteTargetSubject } from './test/better-sqlite-subjects.ts'
import { nodeSqliteSourceSubject, nodeSqliteTargetSubject } from './test/node-sqlite-subjects.ts'

describeSource(vitestRunner, nodeSqliteSourceSubject())
describeSource(vitestRunner, betterSqliteSourceSubject())
describeTarget(vitestRunner, nodeSqliteTargetSubject())
describeTarget(vitestRunner, nodeSqliteTargetSubject(100_000))
describeTarget(vitestRunner, betterSqliteTargetSubject())
describeTarget(vitestRunner, betterSqliteTargetSubject(100_000))
