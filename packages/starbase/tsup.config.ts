import { packageConfig } from '../../tooling/tsup.base.ts'

export default packageConfig()
