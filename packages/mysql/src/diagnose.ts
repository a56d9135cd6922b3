import type { DiagnoseRequest, Finding } from '@tidemark/core/adapter'
import type { RunOptions } from './mysql-link.ts'
import type { Session } from './open-session.ts'
import type { ProofKinds } from './proof.ts'

export async function diagnose(_session: Session, _kinds: ProofKinds, _request: DiagnoseRequest & RunOptions): Promise<readonly Finding[]> {
  return []
}
