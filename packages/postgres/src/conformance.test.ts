import { describeSource } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { availablePostgresVersions } from '@tidemark/test-servers'
import { postgresSubject } from './test/postgres-subject.ts'

const versions = await availablePostgresVersions()

for (const version of versions) describeSource(vitestRunner, postgresSubject(version))

// Nothing to choose from here: whatever the environment offers, or an error that says how to get a server.
if (versions.length === 0) describeSource(vitestRunner, postgresSubject(undefined))
