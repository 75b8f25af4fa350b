/**
 * Keeps it. Beyond `most`, what has been kept longest goes.
 *
 * @returns what went
 */
export function keepNewest<K, V>(kept: Map<K, V>, key: K, value: V, most: number): V | undefined {
  kept.set(key, value)
  if (kept.size <= most) return undefined
  const [oldest] = kept
  if (oldest === undefined) return undefined
  kept.delete(oldest[0])
  return oldest[1]
}
