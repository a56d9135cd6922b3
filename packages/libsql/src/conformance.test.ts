import { describeChanges, describeSource, describeTarget } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { libsqlChangesSubject } from './test/libsql-changes-subject.ts'
import { libsqlSourceSubject, libsqlTargetSubject } from './test/libsql-subjects.ts'

for (const way of ['libsql', '@libsql/client'] as const) {
  describeSource(vitestRunner, libsqlSourceSubject(way))
  describeTarget(vitestRunner, libsqlTargetSubject(way))
  describeChanges(vitestRunner, libsqlChangesSubject(way))
}
