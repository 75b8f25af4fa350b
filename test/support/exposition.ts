/** One sample of a scrape. */
export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y

/** Reads the text format as a scraper does. Throws on a line that is none. */
export function readExposition(text: string): readonly Sample[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name = '', inside = '', value = ''] = LINE.exec(line) ?? []
      if (name === '') throw new Error(`not a sample: ${line}`)
      return { name, labels: readLabels(inside), value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) }
    })
}

/** The value of the one sample with this name and, at least, these labels. */
export function scraped(text: string, name: string, labels: { readonly [label: string]: string } = {}): number {
  const hits = readExposition(text).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels.get(label) === value),
  )
  const [hit] = hits
  if (hit === undefined || hits.length > 1) throw new Error(`${hits.length} samples of ${name}`)
  return hit.value
}

/** A sample's name and labels, as one text, whatever their order. */
export function seriesOf({ name, labels }: Sample): string {
  return `${name}{${[...labels]
    .map(([label, value]) => `${label}=${value}`)
    .sort()
    .join()}}`
}

function readLabels(inside: string): ReadonlyMap<string, string> {
  const labels = new Map<string, string>()
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < inside.length) {
    const [, label, value] = LABEL.exec(inside) ?? []
    if (label === undefined || value === undefined || labels.has(label)) throw new Error(`not labels: ${inside}`)
    labels.set(label, value)
  }
  return labels
}
