import type { Meaning } from './verbs.ts'

type Sense = readonly [verb: string, objects: string, argues: Meaning['argues'], surface: Meaning['surface']]

/** Verbs that mean another thing with another object. The first that fits is taken. */
const SENSES: readonly Sense[] = [
  ['find', 'robot drone rover', 'medium', 'actuation'],
  ['look', 'robot drone rover', 'medium', 'actuation'],
  ['search', 'robot drone rover', 'medium', 'actuation'],
  ['explore', 'robot drone rover', 'medium', 'actuation'],
  ['resolve', 'id ids name names address host hostname dns url path reference library package', 'low', 'read'],
  ['resolve', 'dependency dependencies alias symbol symbols type types entity entities', 'low', 'read'],
  ['take', 'screenshot screenshots snapshot', 'low', 'read'],
  ['capture', 'screenshot screenshots snapshot screen page', 'low', 'read'],
  ['track', 'order package parcel shipment delivery flight status price', 'low', 'read'],
  ['snapshot', 'browser page screen dom aria accessibility', 'low', 'read'],
  ['open', 'issue ticket pr pull request case file document page tab url browser window', 'medium', 'internal-write'],
  ['open', 'position trade order account', 'high', 'financial'],
  ['generate', 'chart diagram graph plot summary uuid id hash preview locator query palette color', 'low', 'read'],
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
const PHRASALS: ReadonlyMap<string, Meaning> = new Map([
  ['check in', ACTS],
  ['check out', ACTS],
  ['set up', ACTS],
  ['take over', TAKES_OVER],
  ['take down', TAKES_OVER],
  ['look after', ACTS],
])

/** What a verb means with the small word right behind it, where that changes it. */
export function phrasalSenseOf(verb: string, next: string): Meaning | undefined {
  return PHRASALS.get(`${verb} ${next}`)
}
