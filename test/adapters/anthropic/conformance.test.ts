import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { anthropicDriver } from './driver.ts'

for (const mode of ['toolRunner', 'toolRunner stream', 'toolRunner eager'] as const)
  conformsAsAdapter(anthropicDriver(mode))
