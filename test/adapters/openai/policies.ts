import { DENY, PERMIT, scriptedPoint } from '../../support/scripted-point.ts'

/** Permits everything but what names `/etc`. */
export const DENY_ETC = scriptedPoint((request) =>
  JSON.stringify(request.context.arguments).includes('/etc') ? DENY : PERMIT,
)
