/**
 * A clone with some members replaced. By descriptors: getters, prototype and hidden members are what makes a host's tool the
 * thing that it is; a spread would drop them. A member that was hidden stays hidden.
 */
export function cloneWith(original: object, replaced: ReadonlyMap<string, unknown>): object {
  const descriptors = new Map<PropertyKey, PropertyDescriptor>(
    Reflect.ownKeys(original).flatMap((key) => {
      const descriptor = Object.getOwnPropertyDescriptor(original, key)
      return descriptor === undefined ? [] : [[key, descriptor]]
    }),
  )
  for (const [key, value] of replaced) {
    const enumerable = descriptors.get(key)?.enumerable ?? true
    descriptors.set(key, { value, enumerable, configurable: true, writable: true })
  }
  const clone: object = Object.create(Object.getPrototypeOf(original))
  for (const [key, descriptor] of descriptors) Object.defineProperty(clone, key, descriptor)
  return clone
}
