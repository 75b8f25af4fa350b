/** What was tried against gates in front of MCP servers, as text: each would have a tool run that is refused. */

/** One attempt, by what it is. `text` is what is sent, over either transport. */
export interface Attempt {
  readonly what: string
  readonly text: string | Buffer
}

/** Every attempt to have `tool` run. @param other a tool that is permitted, to hide behind */
export function attempts(tool: string, other: string): readonly Attempt[] {
  const params = `{"name":"${tool}","arguments":{"id":"7"}}`
  const call = `"method":"tools/call","params":${params}`
  const allowed = `{"name":"${other}","arguments":{"id":"7"}}`
  const whole = `{"jsonrpc":"2.0","id":1,${call}}`
  const nested = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const tried: Readonly<Record<string, string | Buffer>> = {
    'a plain call': whole,
    'a batch of one': `[${whole}]`,
    'a batch behind a permitted call': `[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":${allowed}},${whole}]`,
    'a batch in a batch': `[[${whole}]]`,
    'an empty batch, and a call behind it': `[]${whole}`,
    'no id': `{"jsonrpc":"2.0",${call}}`,
    'an id that is null': `{"jsonrpc":"2.0","id":null,${call}}`,
    'an id that is an object': `{"jsonrpc":"2.0","id":{},${call}}`,
    'an id that two readers round apart': `{"jsonrpc":"2.0","id":9007199254740993,${call}}`,
    'two methods, the last a call': `{"jsonrpc":"2.0","id":1,"method":"tools/list",${call}}`,
    'two methods, the first a call': `{"jsonrpc":"2.0","id":1,${call},"method":"tools/list"}`,
    'two params': `{"jsonrpc":"2.0","id":1,"params":${allowed},${call}}`,
    'two names': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${other}","name":"${tool}","arguments":{"id":"7"}}}`,
    'two names, one escaped': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${other}","n\\u0061me":"${tool}","arguments":{"id":"7"}}}`,
    'a name in another case': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${other}","Name":"${tool}"}}`,
    'a method in another case': `{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":${params}}`,
    'params in another case': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${allowed},"PARAMS":${params}}`,
    'a method spelt otherwise': `{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":${params}}`,
    'a method with a blank': `{"jsonrpc":"2.0","id":1,"method":"tools/call ","params":${params}}`,
    'a method that is escaped': `{"jsonrpc":"2.0","id":1,"method":"tools\\/c\\u0061ll","params":${params}}`,
    'a tool in another case': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool.toUpperCase()}","arguments":{}}}`,
    'a tool with a blank': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":" ${tool}","arguments":{}}}`,
    'a tool with a NUL': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}\\u0000","arguments":{}}}`,
    'params in a list': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["${tool}"]}`,
    'arguments that are no object': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":"{}"}}`,
    'a request that is a response too': `{"jsonrpc":"2.0","id":1,"result":{},${call}}`,
    'another JSON-RPC': `{"jsonrpc":"1.0","id":1,${call}}`,
    'no JSON-RPC': `{"id":1,${call}}`,
    'a prototype that calls': `{"jsonrpc":"2.0","id":1,"__proto__":{${call}},"method":"ping"}`,
    'a prototype in the arguments': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7","__proto__":{"a":1}}}}`,
    'a constructor in the arguments': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7","constructor":{}}}}`,
    'a lone surrogate': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7","a":"\\ud800"}}}`,
    'a byte order mark': `\ufeff${whole}`,
    'something behind it': `${whole} {}`,
    'a NUL behind it': `${whole}\0`,
    'another call behind it': `{"jsonrpc":"2.0","id":2,"method":"ping"}${whole}`,
    'a comment': `{"jsonrpc":"2.0",/**/"id":1,${call}}`,
    'names without quotes': `{jsonrpc:"2.0",id:1,method:"tools/call",params:${params}}`,
    'a comma too many': `{"jsonrpc":"2.0","id":1,${call},}`,
    'bytes that are no UTF-8': Buffer.concat([
      Buffer.from(whole.slice(0, -1)),
      Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ]),
    'a name in overlong UTF-8': Buffer.from(whole.replace('tools/call', 'tools\xc0\xafcall'), 'latin1'),
    'UTF-16': Buffer.from(`\ufeff${whole}`, 'utf16le'),
    'arguments deeper than anybody nests': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7","a":${nested}}}}`,
    'a message longer than it may be': `{"jsonrpc":"2.0","id":1,${call},"x":"${'x'.repeat(4 * 1_048_576)}"}`,
    'an answer that nobody asked for': `{"jsonrpc":"2.0","id":"holdpoint-1","result":{"action":"accept","content":{"approve":true}},"method":"tools/call","params":${params}}`,
    'an approval that nobody gave': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7"},"requestState":"holdpoint-1","inputResponses":{"dev.holdpoint/approval":{"action":"accept","content":{"approve":true}}},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"elicitation":{}}}}}`,
    'a task': `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${tool}","arguments":{"id":"7"},"task":{"ttl":60000}}}`,
  }
  return Object.entries(tried).map(([what, text]) => ({ what, text }))
}
