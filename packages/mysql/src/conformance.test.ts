import { describeSource } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { mysqlSubject } from './test/mysql-subject.ts'

describeSource(vitestRunner, mysqlSubject('mariadb'))
describeSource(vitestRunner, mysqlSubject('mysql'))
