/** JSON values and schemas. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [member: string]: Json }
export type JsonObject = { readonly [member: string]: Json }

/** JSON Schema, as the tool declares it. UNTRUSTED when the tool is a third party's. */
export type JsonSchema = boolean | JsonObject
