import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'

const DIGEST_BYTES = 32
/** Digests, or numbers, of one page. */
const PAGE = 8_192
/** How far a digest may lie from its place in the index: beyond it, whoever chose the digests chose them to collide. */
const MOST_STEPS = 64

/**
 * Many SHA-256 digests, each under a number: its own bytes and a place in an index, some 45 bytes in all. As strings in a map
 * they would take three times as much, and the garbage collector would go over them again and again.
 *
 * UNTRUSTED: the texts are whatever a receipt holds. One that is no digest is kept too, as it is.
 */
export class Digests {
  readonly #pages: Uint8Array[] = []
  /** Numbers from 1, by the first bytes of their digests; 0 where there is none. */
  #index = new Uint32Array(1_024)
  /** What is no digest, or has found no place, by its text. */
  readonly #apart = new Map<string, number>()
  readonly #texts = new Map<number, string>()
  #size = 0

  /** Digests so far; numbers are from 0 to before it. */
  get size(): number {
    return this.#size
  }

  /** The number of a digest, which is added where it is not here. */
  number(text: string): number {
    const bytes = digestOf(text)
    const found = this.#find(text, bytes)
    if (found !== undefined) return found
    const number = this.#size
    this.#size += 1
    this.#keep(number, text, bytes)
    return number
  }

  find(text: string): number | undefined {
    return this.#find(text, digestOf(text))
  }

  /** @param number one that was given out */
  text(number: number): string {
    return this.#texts.get(number) ?? encodeBase64url(this.#bytesOf(number))
  }

  #find(text: string, bytes: Uint8Array | undefined): number | undefined {
    if (bytes === undefined) return this.#apart.get(text)
    const place = this.#placeOf(bytes)
    if (place === undefined) return this.#apart.get(text)
    const number = this.#index[place] ?? 0
    return number === 0 ? undefined : number - 1
  }

  #keep(number: number, text: string, bytes: Uint8Array | undefined): void {
    const at = (number % PAGE) * DIGEST_BYTES
    if (at === 0) this.#pages.push(new Uint8Array(PAGE * DIGEST_BYTES))
    if (bytes === undefined) {
      this.#texts.set(number, text)
      this.#apart.set(text, number)
      return
    }
    this.#pages.at(-1)?.set(bytes, at)
    if (this.#size * 2 > this.#index.length) this.#grow()
    else this.#enter(number, bytes)
  }

  #enter(number: number, bytes: Uint8Array): void {
    const place = this.#placeOf(bytes)
    if (place === undefined) this.#apart.set(encodeBase64url(bytes), number)
    else this.#index[place] = number + 1
  }

  #grow(): void {
    this.#index = new Uint32Array(this.#index.length * 2)
    for (let number = 0; number < this.#size; number += 1) {
      if (!this.#texts.has(number)) this.#enter(number, this.#bytesOf(number))
    }
  }

  /** Where a digest stands in the index, or may; `undefined` where all is taken by others. */
  #placeOf(bytes: Uint8Array): number | undefined {
    const first = ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const place = (first + step) % this.#index.length
      const number = this.#index[place] ?? 0
      if (number === 0 || this.#is(number - 1, bytes)) return place
    }
    return undefined
  }

  #is(number: number, bytes: Uint8Array): boolean {
    const page = this.#pages[Math.floor(number / PAGE)]
    const at = (number % PAGE) * DIGEST_BYTES
    for (let byte = 0; byte < DIGEST_BYTES; byte += 1) if (page?.[at + byte] !== bytes[byte]) return false
    return true
  }

  #bytesOf(number: number): Uint8Array {
    const at = (number % PAGE) * DIGEST_BYTES
    return (this.#pages[Math.floor(number / PAGE)] ?? new Uint8Array()).subarray(at, at + DIGEST_BYTES)
  }
}

/** One small number for each of many, 0 where none was set. */
export class Numbers {
  readonly #pages: Uint32Array[] = []

  get(at: number): number {
    return this.#pages[Math.floor(at / PAGE)]?.[at % PAGE] ?? 0
  }

  set(at: number, value: number): void {
    const page = Math.floor(at / PAGE)
    while (this.#pages.length <= page) this.#pages.push(new Uint32Array(PAGE))
    const numbers = this.#pages[page]
    if (numbers !== undefined) numbers[at % PAGE] = value
  }
}

function digestOf(text: string): Uint8Array | undefined {
  if (text.length !== 43) return undefined
  try {
    return decodeBase64url(text)
  } catch {
    return undefined
  }
}
