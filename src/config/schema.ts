/**
 * What an operator may write in `holdpoint.yaml` or pass to `createGate(options)`: one schema for both.
 *
 * Every object is strict: a misspelt key is an error, because a key that is silently ignored is a rule that does not
 * hold. Every message completes the sentence "`<key>` …".
 */

import { z } from 'zod'
import { isServerName, isWrittenTool, SERVER_RULE } from '../bytes/names.ts'
import { MATERIALITIES, READ_LABELS, SURFACES } from '../types.ts'
import { ownPlaces } from './own-places.ts'
import { keys, passkeys } from './public-keys.ts'
import { contradictionOf, shortForm } from './short-form.ts'

/** How long a policy decision point may take where nobody says, ms. */
export const DEFAULT_TIMEOUT_MS = 2_000
/** Policies that come with the package. */
export const SHIPPED_POLICIES = [
  'ask/v1',
  'strict/v1',
  'filesystem/v1',
  'payments/v1',
  'budgets/v1',
  'exfiltration/v1',
] as const
export type ShippedPolicy = (typeof SHIPPED_POLICIES)[number]

const milliseconds = (least: number, most: number) =>
  z
    .int({ error: `must be a whole number of milliseconds from ${least} to ${most}` })
    .min(least)
    .max(most)

const count = (most: number) =>
  z
    .int({ error: `must be a whole number from 1 to ${most}` })
    .min(1)
    .max(most)

const text = z.string({ error: 'must be a text that is not empty' }).min(1, 'must be a text that is not empty')

const POLICIES_RULE = 'must be a file, a folder or a shipped name, or a list of them that is not empty'

/** `closed` at every tier; only low may be set to `open` (I5). */
const neverOpen = (tier: string) =>
  z.literal('closed', {
    error: `can never be "open": only low calls may run while no policy answers, ${tier} ones never do`,
  })

const SECRET_RULE = 'must be a mapping that names an environment variable, such as {env: OPA_TOKEN}'

/** A secret is never written in a configuration, only where to find it. */
const secret = z.strictObject({ env: text }, { error: SECRET_RULE })

const SCHEMA_RULE = "must be a name of lower-case letters, digits and _, at most 63, and none of PostgreSQL's own"

const OWN_SECRET_RULE =
  'must be a mapping that names an environment variable beginning with HOLDPOINT_, such as {env: HOLDPOINT_KEY}: those are handed on to no server'

/** A secret of the gate's own: what begins with HOLDPOINT_, the MCP proxy hands on to no server that it starts. */
const ownSecret = z.strictObject(
  { env: z.string({ error: OWN_SECRET_RULE }).regex(/^HOLDPOINT_[A-Z0-9_]{1,200}$/, OWN_SECRET_RULE) },
  { error: OWN_SECRET_RULE },
)

const STORE_RULE =
  'must name a folder or PostgreSQL, such as {folder: /var/lib/holdpoint} or {postgres: {connection: {env: HOLDPOINT_DATABASE}}}'

/** Where a connection string has its password it is a secret: the configuration says where to find it. */
const storeMapping = z
  .strictObject({
    folder: text.optional(),
    postgres: z
      .strictObject(
        {
          connection: ownSecret,
          schema: z
            .string({ error: SCHEMA_RULE })
            .regex(/^(?!pg_|information_schema$)[a-z_][a-z0-9_]{0,62}$/, SCHEMA_RULE)
            .optional(),
          deadlineMs: milliseconds(1, 60_000).optional(),
        },
        { error: 'must be a mapping such as {connection: {env: HOLDPOINT_DATABASE}}' },
      )
      .optional(),
  })
  .refine(({ folder, postgres }) => folder === undefined || postgres === undefined, STORE_RULE)

const SERVICE_RULE = 'must name one service: authzen, opa or cerbos, with its address'

/** One policy service; `src/wire` reads the values once more, with what belongs together. */
const policyService = z
  .strictObject(
    {
      authzen: text.optional(),
      opa: text.optional(),
      cerbos: text.optional(),
      name: text.optional(),
      tools: z.array(text, { error: 'must be a list such as [shop/*]' }).readonly().optional(),
      bearer: secret.optional(),
      headers: z
        .record(z.string(), secret, { error: 'must be a mapping such as {x-api-key: {env: PDP_KEY}}' })
        .optional(),
      plainHttp: z.literal('allowed', { error: 'must be allowed' }).optional(),
      echo: z.enum(['required', 'none'], { error: 'must be required or none' }).optional(),
      canary: z.enum(['required', 'off'], { error: 'must be required or off' }).optional(),
      readsSession: z
        .union([z.boolean(), z.literal('conversation')], { error: 'must be true, false or conversation' })
        .optional(),
    },
    { error: SERVICE_RULE },
  )
  .refine(({ authzen, opa, cerbos }) => [authzen, opa, cerbos].filter((url) => url !== undefined).length === 1, {
    error: SERVICE_RULE,
  })

const WEBHOOK_RULE =
  'must be a mapping such as {url: "https://hooks.example.com/x", secret: {env: HOLDPOINT_WEBHOOK_SECRET}}'
const WEBHOOK_EVENT_RULE = 'must be a list of approval.requested, failure.opened, override.used and call.announced'

/** A receiver of alerts; `src/webhook` reads the values once more. */
const webhook = z.strictObject(
  {
    url: text,
    secret: ownSecret,
    events: z
      .array(
        z.enum(['approval.requested', 'failure.opened', 'override.used', 'call.announced'], {
          error: WEBHOOK_EVENT_RULE,
        }),
        {
          error: WEBHOOK_EVENT_RULE,
        },
      )
      .min(1, WEBHOOK_EVENT_RULE)
      .readonly()
      .optional(),
    to: text.optional(),
    page: text.optional(),
  },
  { error: WEBHOOK_RULE },
)

const READS_RULE = 'must be a list of private and untrusted, such as [private]'

const ORIGIN_RULE = 'must be a name such as example.com/receipts, without white space and plus'

const TOOL_RULE = 'must be a mapping such as {materiality: high}, or "deny"'

/** What the operator says about one tool: how much harm it can do, and which calls of it run. */
const toolWord = z.union(
  [
    z.literal('deny'),
    z
      .strictObject(
        {
          materiality: z.enum(MATERIALITIES, { error: 'must be low, medium or high' }).optional(),
          surface: z
            .enum(SURFACES, {
              error: 'must be one of the surfaces, such as read, internal-write, communication or financial',
            })
            .optional(),
          /** What a call of it brings into its conversation; policies read it as `context.session.private_data_read` and `untrusted_content_read`. */
          reads: z
            .array(z.enum(READ_LABELS, { error: READS_RULE }), { error: READS_RULE })
            .min(1, READS_RULE)
            .readonly()
            .optional(),
          ...shortForm,
        },
        { error: TOOL_RULE },
      )
      .superRefine((word, context) => {
        const message = contradictionOf(word)
        if (message !== undefined) context.addIssue({ code: 'custom', path: ['otherwise'], message })
      }),
  ],
  { error: TOOL_RULE },
)

/** What the operator may say. All optional; the defaults are holdpoint's. */
export const configSchema = z.strictObject(
  {
    /** Our own name of the server that in-process tools belong to. Default `local`. */
    server: z
      .string({ error: `must be a name of ${SERVER_RULE}` })
      .refine(isServerName, `must be a name of ${SERVER_RULE}`)
      .optional(),
    /** The operator's word on tools and the short form of policies, by name (`refund`) or by server and name (`files/write_file`). */
    tools: z
      .record(
        z
          .string()
          .refine(isWrittenTool, 'is not a tool name: letters, digits, "_", ".", "-" and "/" only, at most 128'),
        toolWord,
        { error: 'must be a mapping from tool names to what you say about them' },
      )
      .optional(),
    /** What the operator calls their own: what a call sends elsewhere raises its materiality. */
    own: ownPlaces.optional(),
    /** Files, folders, patterns (`rules/*.cedar`) or shipped names. Default `policies/*.cedar`, else `ask/v1`. */
    policies: z.union([text, z.array(text).min(1, POLICIES_RULE)], { error: POLICIES_RULE }).optional(),
    /** Policy services that are asked beside the policies above: all that are asked must permit. */
    points: z
      .array(policyService, { error: 'must be a list such as [{opa: http://127.0.0.1:8181/v1/data/shop/decision}]' })
      .min(1, 'must not be empty')
      .max(16, 'may name at most 16 services')
      .readonly()
      .optional(),
    /** When a policy point that does not answer is left alone. Defaults 3 in a row, 30 s, 3 probes. */
    breaker: z
      .strictObject(
        {
          failures: count(1_000).optional(),
          openMs: milliseconds(1, 3_600_000).optional(),
          probes: count(100).optional(),
        },
        { error: 'must be a mapping of failures, openMs and probes' },
      )
      .optional(),
    /** How long a policy point may take, ms. Default 2000. */
    timeoutMs: milliseconds(1, 60_000).optional(),
    /** What happens when no policy answers. */
    failMode: z
      .strictObject(
        {
          low: z.enum(['closed', 'open'], { error: 'must be closed or open' }).optional(),
          medium: neverOpen('medium').optional(),
          high: neverOpen('high').optional(),
        },
        { error: 'must be a mapping such as {low: open}' },
      )
      .optional(),
    /** How long a permit stays good before the tool starts, ms. Default 30000. */
    permitTtlMs: milliseconds(1, 600_000).optional(),
    /** Facts that policies read as `context.environment`. */
    environment: z.record(z.string(), z.json(), { error: 'must be a mapping of facts' }).optional(),
    /** Public keys that this gate believes, by what they may sign. */
    trust: z
      .strictObject(
        { override: keys.optional(), approval: keys.optional(), receipts: keys.optional() },
        { error: 'must be a mapping of lists: override, approval, receipts' },
      )
      .optional(),
    /** The folder of signed overrides (default: in the state folder); never read where `trust.override` is empty. */
    overrides: text.optional(),
    /** Where receipts go: a folder (default: the state folder), PostgreSQL, or `memory`, which forgets. */
    store: z
      .union([z.literal('memory'), storeMapping], {
        error: 'must be "memory" or a mapping such as {folder: /var/lib/holdpoint}',
      })
      .optional(),
    /** The receipt signing key; created with mode 0600 when absent. Default: in the state folder. */
    keyFile: text.optional(),
    /** The environment variable that holds the receipt signing key, as a private JWK; wins over `keyFile`. Never the key itself. */
    key: ownSecret.optional(),
    /**
     * The transparency log over this store's receipts: a mapping, `{}` for the defaults, keeps it while a gate runs. `witnesses`
     * is a file of C2SP's tlog-policy with an address for each.
     */
    log: z
      .strictObject(
        {
          everyMs: milliseconds(50, 3_600_000).optional(),
          origin: z
            .string({ error: ORIGIN_RULE })
            .regex(/^[^\p{White_Space}\p{Cc}+]{1,200}$/u, ORIGIN_RULE)
            .optional(),
          witnesses: text.optional(),
          /** The log's own key, as `key` has the receipt key. */
          key: ownSecret.optional(),
        },
        { error: 'must be a mapping such as {witnesses: witnesses.policy}, or {} for the defaults' },
      )
      .optional(),
    /** Who is told over HTTP, signed, that an approval waits, that a call ran without a policy, or on an override. */
    webhooks: z
      .array(webhook, { error: 'must be a list of webhooks' })
      .min(1, 'must not be empty')
      .max(16, 'may name at most 16 webhooks')
      .readonly()
      .optional(),
    /** People's own signatures: whose passkeys may give them, and which yeses need one: to high calls, or all. */
    approvals: z
      .strictObject(
        {
          passkeys: passkeys.optional(),
          requirePasskey: z.enum(['high', 'all'], { error: 'must be high or all' }).optional(),
        },
        { error: 'must be a mapping of passkeys and requirePasskey' },
      )
      .optional(),
    /** Bounds on arguments. Defaults 64 deep, 10 000 nodes, 1 MiB. */
    limits: z
      .strictObject(
        {
          maxDepth: count(256).optional(),
          maxNodes: count(1_000_000).optional(),
          maxBytes: count(64 * 1024 * 1024).optional(),
        },
        { error: 'must be a mapping of maxDepth, maxNodes and maxBytes' },
      )
      .optional(),
    /** What a low call does when its receipt cannot be written. Medium and high refuse. */
    onReceiptLoss: z
      .strictObject(
        { low: z.enum(['refuse', 'run'], { error: 'must be refuse or run' }).optional() },
        { error: 'must be a mapping such as {low: refuse}' },
      )
      .optional(),
    /** Keep the arguments beside the receipts, so that `why` and audits can open them. Default `keep`. */
    sidecar: z.enum(['keep', 'none'], { error: 'must be keep or none' }).optional(),
  },
  { error: 'must be a mapping of keys to values' },
)

/** The checked options. */
export type ConfigOptions = Readonly<z.infer<typeof configSchema>>
