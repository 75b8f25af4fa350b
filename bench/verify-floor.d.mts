/** Takes a JWS and gives back what it says; throws where the key did not sign it. */
export function createVerifyFloor(jwk: object): (jws: string) => Record<string, unknown>
