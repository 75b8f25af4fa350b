import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { driversOf } from '../hosts.ts'

for (const driver of await driversOf('mcp')) conformsAsAdapter(driver)
