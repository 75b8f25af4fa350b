import { createGate } from 'holdpoint'

/** Reads `holdpoint.yaml` and `policies/` of the app's folder. */
export const gate = createGate()
// reloaded: 0
