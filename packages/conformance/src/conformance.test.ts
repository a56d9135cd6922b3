import { memorySourceSubject } from './memory/memory-source-subject.ts'
import { memoryTargetSubject } from './memory/memory-target-subject.ts'
import { describeSource } from './source/source-suite.ts'
import { describeTarget } from './target/target-suite.ts'
import { vitestRunner } from './vitest.ts'

describeSource(vitestRunner, memorySourceSubject())
describeSource(vitestRunner, memorySourceSubject({
  name: 'memory, with everything switched off',
  capabilities: { settling: 'grace', streamsRows: false, diagnoses: false, reportsSchemaVersion: false },
  facts: { openTransactions: false, blocksReads: false, unreachable: false, wrongPassword: false },
}))
describeTarget(vitestRunner, memoryTargetSubject())
