import type { Meaning } from './verbs.ts'

type Sense = readonly [verb: string, objects: string, argues: Meaning['argues'], surface: Meaning['surface']]

/** Verbs that mean another thing with another object. The first that fits is taken. */
const SENSES: readonly Sense[] = [
  ['find', 'robot drone rover', 'medium', 'actuation'],
  ['look', 'robot drone rover', 'medium', 'actuation'],
  ['search', 'robot drone rover', 'medium', 'actuation'],
  ['explore', 'robot drone rover', 'medium', 'actuation'],
  ['ask', 'human person people user customer expert colleague team', 'medium', 'communication'],
  ['claim', 'reward rewards bonus', 'high', 'financial'],
  ['close', 'account accounts period position positions trade trades', 'high', 'financial'],
  ['list', 'sale', 'high', 'financial'],
  ['convert', 'lead leads prospect opportunity trial', 'high', 'internal-write'],
  ['extract', 'archive zip tar rar', 'medium', 'internal-write'],
  ['ping', 'user users member members team channel customer customers', 'high', 'communication'],
  ['recall', 'email message product vehicle', 'high', 'unknown'],
  ['go', 'definition implementation declaration', 'low', 'read'],
  ['render', 'preview', 'low', 'read'],
  ['start', 'workflow campaign meeting call job run', 'high', 'unknown'],
  ['start', 'engine motor pump irrigation heater oven print charging', 'high', 'actuation'],
  ['send', 'prompt', 'medium', 'data-egress'],
  ['schedule', 'meeting appointment viewing interview visit demo service', 'high', 'communication'],
  ['submit', 'offer application order payment expense claim bid tax', 'high', 'communication'],
  ['file', 'claim claims complaint motion lawsuit dispute', 'high', 'communication'],
  ['define', 'word words term terms', 'low', 'read'],
  ['attach', 'policy role permission volume disk', 'high', 'identity'],
  ['resolve', 'id ids name names address host hostname dns url path reference library package', 'low', 'read'],
  ['resolve', 'dependency dependencies alias symbol symbols type types entity entities', 'low', 'read'],
  ['take', 'screenshot screenshots snapshot', 'low', 'read'],
  ['capture', 'screenshot screenshots snapshot screen page', 'low', 'read'],
  ['track', 'order package parcel shipment delivery flight status price', 'low', 'read'],
  ['snapshot', 'browser page screen dom aria accessibility', 'low', 'read'],
  ['open', 'issue ticket pr pull request case file document page tab url browser window', 'medium', 'internal-write'],
  ['open', 'position trade order account', 'high', 'financial'],
  [
    'generate',
    'chart diagram graph plot summary uuid id hash preview locator query palette color qr barcode',
    'low',
    'read',
  ],
  ['generate', 'docs documentation suggestion suggestions insight insights forecast snippet', 'low', 'read'],
  ['set', 'reminder alarm timer', 'medium', 'internal-write'],
  ['test', 'connection connectivity regex regexp pattern expression', 'low', 'read'],
]

interface Fit {
  readonly objects: ReadonlySet<string>
  readonly meaning: Meaning
}

const FITS = new Map<string, readonly Fit[]>()
for (const [verb, objects, argues, surface] of SENSES) {
  const fit: Fit = { objects: new Set(objects.split(' ')), meaning: { argues, surface, noun: false } }
  FITS.set(verb, [...(FITS.get(verb) ?? []), fit])
}

/** What the verb means with these objects, where they change it. */
export function senseOf(verb: string, objects: () => readonly string[]): Meaning | undefined {
  const fits = FITS.get(verb)
  if (fits === undefined) return undefined
  const found = objects()
  return fits.find((fit) => found.some((object) => fit.objects.has(object)))?.meaning
}

const ACTS: Meaning = { argues: 'medium', surface: 'internal-write', noun: false }
const TAKES_OVER: Meaning = { argues: 'high', surface: 'internal-write', noun: false }
const PHRASALS: ReadonlyMap<string, ReadonlyMap<string, Meaning>> = new Map([
  [
    'check',
    new Map([
      ['in', ACTS],
      ['out', ACTS],
    ]),
  ],
  ['set', new Map([['up', ACTS]])],
  [
    'take',
    new Map([
      ['over', TAKES_OVER],
      ['down', TAKES_OVER],
    ]),
  ],
  ['look', new Map([['after', ACTS]])],
])

/** What a verb means with the small word right behind it, where that changes it. */
export function phrasalSenseOf(verb: string, next: string): Meaning | undefined {
  return PHRASALS.get(verb)?.get(next)
}
