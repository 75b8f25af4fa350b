/** What model and person are told of a call that ran without a policy's answer (I5). */
export const FAIL_OPEN_NOTE =
  'Note from holdpoint: no policy answered for this call. It ran because the operator lets calls of low materiality run during an outage.'
