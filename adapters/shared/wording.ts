/** What the person is told of a call that ran without a policy's answer (I5). */
export const FAILED_OPEN =
  'This call ran although no policy answered for it: the operator lets calls of low materiality run during an outage.'
