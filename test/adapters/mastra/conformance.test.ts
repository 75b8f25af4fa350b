import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { mastraDriver } from './driver.ts'

conformsAsAdapter(mastraDriver('generate, guardTools'))
conformsAsAdapter(mastraDriver('stream, guardTools'))
conformsAsAdapter(mastraDriver('generate, holdpointHooks'))
