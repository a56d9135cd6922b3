import { describeSource } from './source/source-suite.ts'
import { kyselySqliteSubject } from './test/kysely-sqlite-subject.ts'
import { vitestRunner } from './vitest.ts'

describeSource(vitestRunner, kyselySqliteSubject(false))
describeSource(vitestRunner, kyselySqliteSubject(true))
