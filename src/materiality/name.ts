import { wordsOf } from '../bytes/words.ts'
import type { Evidence } from '../types.ts'
import { type Meaning, meaningOf } from './verbs.ts'

const JOINING = new Set(['and', 'or', 'then'])
const SECRETS = new Set(
  'password passwords secret secrets credential credentials cookie cookies apikey apikeys'.split(' '),
)

/**
 * What the words of a tool's name argue. The only evidence that may argue `low`, since somebody must say that a tool
 * reads; every word that acts still counts beside one that reads.
 */
export function fromName(name: string): readonly Evidence[] {
  const words = wordsOf(name)
  const meant = words.map((word, index) => ({
    word,
    meaning: meaningOf(word),
    joined: JOINING.has(words[index - 1] ?? ''),
  }))
  const hasVerb = meant.some(({ meaning }) => meaning?.noun === false)
  const evidence = meant.flatMap(({ word, meaning, joined }): readonly Evidence[] => {
    const spoken = meaning !== undefined && (!hasVerb || !meaning.noun || joined)
    return spoken ? [said(word, meaning)] : []
  })
  const secret = words.find((word) => SECRETS.has(word))
  if (secret === undefined) return evidence
  return [
    ...evidence,
    { source: 'name', argues: 'high', surface: 'credentials', at: secret, because: `the name speaks of a ${secret}` },
  ]
}

function said(word: string, { argues, surface }: Meaning): Evidence {
  return { source: 'name', argues, surface, at: word, because: `the name says "${word}"` }
}
