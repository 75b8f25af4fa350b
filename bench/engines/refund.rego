# The same rule as ../policies/refund.cedar, for OPA as it is asked by holdpoint.
package shop

import rego.v1

default decision := {"decision": false, "reason": "nobody permits this refund"}

decision := {"decision": false, "reason": "refunds go to accounts that are at least a week old"} if fresh_account

decision := {"decision": true, "policies": ["refund-cap"]} if {
	not fresh_account
	input.resource.id == "shop/refund"
	"support" in input.subject.properties.roles
	input.context.arguments.amount <= 500
	input.context.arguments.currency in {"EUR", "USD"}
}

fresh_account if input.context.arguments.payee.accountAgeDays < 7
