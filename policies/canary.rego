# holdpoint's canary for OPA. Load it beside your own policies: `opa run --server your-policies canary.rego`.
#
# It permits, unless `probe` is above zero. holdpoint asks with -1, which must be permitted, and then with a text, of which
# to_number makes an error. OPA drops a deny rule that errs unless it is asked with strict-builtin-errors=true: the text would
# be permitted, and so would any call on which a deny rule of your own errs.
package holdpoint.canary

import rego.v1

default decision := true

decision := false if to_number(input.context.arguments.probe) > 0
