import { afterAll } from 'vitest'
import { conformsAsAdapter } from '../../support/adapter-conformance.ts'
import { ClaudeDriver } from './driver.ts'

const driver = new ClaudeDriver()
afterAll(() => driver.close())

conformsAsAdapter(driver)
