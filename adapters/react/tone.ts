import type { KnownCall } from './calls.ts'

/** What a card is about, by colour and sign. Never by colour alone. */
export type Tone = 'refused' | 'asking' | 'running' | 'ran' | 'notice' | 'unknown'

/** Only a call that ran as it was asked for, and was checked, is drawn as one that simply ran. */
export function toneOf({ status, data }: KnownCall): Tone {
  switch (status) {
    case 'refused':
    case 'declined':
      return 'refused'
    case 'waiting':
    case 'approved':
      return 'asking'
    case 'failed':
    case 'ungated':
      return 'notice'
    case 'ran':
    case 'running':
      return (data.notices ?? []).length > 0 || data.observed !== undefined ? 'notice' : status
  }
}
