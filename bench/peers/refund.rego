# The same rule as ../policies/refund.cedar, for @ai-sdk/policy-opa.
package refund

import rego.v1

default decision := {"decision": "deny", "reason": "nobody permits this refund"}

decision := {"decision": "deny", "reason": "refunds go to accounts that are at least a week old"} if fresh_account

decision := {"decision": "allow"} if {
	not fresh_account
	input.tool.name == "refund"
	"support" in input.runtimeContext.roles
	input.args.amount <= 500
	input.args.currency in {"EUR", "USD"}
}

fresh_account if input.args.payee.accountAgeDays < 7
