import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { langchainDriver } from './driver.ts'

conformsAsAdapter(langchainDriver('createAgent, holdpointMiddleware'))
conformsAsAdapter(langchainDriver('createAgent, guardTools'))
conformsAsAdapter(langchainDriver('ToolNode, guardTools'))
