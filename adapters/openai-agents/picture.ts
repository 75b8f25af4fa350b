/**
 * A picture of some words. A call of a computer ends in a screenshot and has no place for text, so this is how its model is told that
 * nothing was done, and why.
 */

/** Three columns by five rows a letter, one octal digit a row, drawn for this purpose. */
const LETTERS =
  'A25755 B65656 C34443 D65556 E74647 F74644 G34553 H55755 I72227 J11152 K55655 L44447 M57755 N65555 O25552 P65644 Q25563 ' +
  'R65655 S34216 T72222 U55557 V55552 W55775 X55255 Y55222 Z71247 075557 126227 261247 361216 455711 574616 634757 771222 ' +
  '875757 975716 .00002 ,00024 :02020 ;02024 -00700 _00007 /11244 (24442 )21112 \'22000 "55000 !22202 ?61202 +02720 =07070 %51245'

const FONT: ReadonlyMap<string, readonly number[]> = new Map(
  LETTERS.split(' ').map((glyph) => [glyph.slice(0, 1), Array.from(glyph.slice(1), Number)]),
)

/** Pixels a dot, letters a line, and lines at most: what a model can still read. */
const SCALE = 3
const LINE = 60
const MOST_LINES = 24
const [WIDTH_OF_LETTER, HEIGHT_OF_LINE, MARGIN] = [4, 7, 3]

/** A PNG in base64, black on white. Letters that the font lacks stand as `?`, and what is too long is cut. */
export function pictureOf(text: string): string {
  const lines = text.toUpperCase().split('\n').flatMap(wrapped).slice(0, MOST_LINES)
  const width = (LINE * WIDTH_OF_LETTER + 2 * MARGIN) * SCALE
  const height = (lines.length * HEIGHT_OF_LINE + 2 * MARGIN) * SCALE
  const stride = Math.ceil(width / 8) + 1
  const rows = new Uint8Array(stride * height).fill(0xff)
  for (let y = 0; y < height; y += 1) {
    // Each row says that it is not filtered.
    rows[y * stride] = 0
    for (let x = 0; x < width; x += 1) {
      if (isInk(lines, Math.floor(x / SCALE) - MARGIN, Math.floor(y / SCALE) - MARGIN)) blacken(rows, y * stride + 1, x)
    }
  }
  const size = [...bigEndian(width), ...bigEndian(height)]
  const bytes = [
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    // One bit of grey a pixel.
    ...chunk('IHDR', [...size, 1, 0, 0, 0, 0]),
    ...chunk('IDAT', stored(rows)),
    ...chunk('IEND', []),
  ]
  return btoa(bytes.map((byte) => String.fromCharCode(byte)).join(''))
}

/** At spaces where there are some; the last line of nothing stays a line. */
function wrapped(line: string): readonly string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > LINE) {
    const space = rest.lastIndexOf(' ', LINE)
    const at = space > 0 ? space : LINE
    lines.push(rest.slice(0, at))
    rest = rest.slice(at).trimStart()
  }
  return [...lines, rest]
}

function isInk(lines: readonly string[], x: number, y: number): boolean {
  if (x < 0 || y < 0) return false
  const letter = lines[Math.floor(y / HEIGHT_OF_LINE)]?.[Math.floor(x / WIDTH_OF_LETTER)]
  if (letter === undefined || letter === ' ') return false
  const row = (FONT.get(letter) ?? FONT.get('?'))?.[y % HEIGHT_OF_LINE] ?? 0
  return ((row >> (2 - (x % WIDTH_OF_LETTER))) & 1) === 1
}

function blacken(rows: Uint8Array, from: number, x: number): void {
  const at = from + (x >> 3)
  rows[at] = (rows[at] ?? 0) & ~(0x80 >> (x & 7))
}

/** A chunk of PNG (RFC 2083, section 3.2): length, type, data, and the check of the latter two. */
function chunk(type: string, data: readonly number[]): readonly number[] {
  const checked = [...Array.from(type, (letter) => letter.charCodeAt(0)), ...data]
  return [...bigEndian(data.length), ...checked, ...bigEndian(crc32(checked))]
}

/** A zlib stream (RFC 1950) of blocks that are stored as they are (RFC 1951, section 3.2.4). */
function stored(bytes: Uint8Array): readonly number[] {
  const out = [0x78, 0x01]
  const most = 0xffff
  for (let from = 0; from < bytes.length; from += most) {
    const block = bytes.subarray(from, from + most)
    const isLast = from + most >= bytes.length
    const { length } = block
    out.push(isLast ? 1 : 0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff, ...block)
  }
  return [...out, ...bigEndian(adler32(bytes))]
}

function bigEndian(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function crc32(bytes: readonly number[]): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return (crc ^ 0xffffffff) >>> 0
}

function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0]
  for (const byte of bytes) {
    a = (a + byte) % 65_521
    b = (b + a) % 65_521
  }
  return ((b << 16) | a) >>> 0
}
