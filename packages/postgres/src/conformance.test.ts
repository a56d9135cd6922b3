import { describeChanges, describeSource } from '@tidemark/conformance'
import { vitestRunner } from '@tidemark/conformance/vitest'
import { availablePostgresVersions } from '@tidemark/test-servers'
import { postgresChangesSubject } from './test/postgres-changes-subject.ts'
import { postgresSubject } from './test/postgres-subject.ts'

const versions = await availablePostgresVersions()

for (const version of versions) describeSource(vitestRunner, postgresSubject(version))

// Nothing to choose from here: whatever the environment offers, or an error that says how to get a server.
if (versions.length === 0) describeSource(vitestRunner, postgresSubject(undefined))

// The log of the oldest and the newest: a suite of its own for each would take minutes, and what differs between them is in the lane `postgres`.
for (const version of new Set([versions[0], versions.at(-1)])) describeChanges(vitestRunner, postgresChangesSubject(version))
