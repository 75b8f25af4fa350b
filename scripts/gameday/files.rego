# What the gameday's agent may do: whatever it likes, in its own folder.
package files

import rego.v1

default decision := {"decision": false, "reason": "The agent works in its own folder alone."}

decision := {"decision": true, "policies": ["own-folder"]} if {
	count(paths) > 0
	every path in paths {
		input.context.environment.root in path.ancestors
	}
}

paths contains facts if {
	some facts in input.context.derived
	facts.ancestors
}
