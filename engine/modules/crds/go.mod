// Pins the modules whose custom resource definitions the control plane serves. Nothing of them
// is compiled. To move to another version: change its line, delete go.sum, and run `go mod download -json <module>@<version>` for each.
module kiln.local/engine-crds

go 1.25.6

require (
	github.com/external-secrets/external-secrets v1.3.2
	github.com/kserve/kserve v0.15.2
	github.com/openshift/api v0.0.0-20250710004639-926605d3338b
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/kueue v0.10.0
)
