# Everything that people and CI do here. `make help` lists it.
#
# CLUSTER=kind, local or current says which cluster `demo`, `e2e` and `test` use. Without it: the one that is up; else
# kind where a container engine answers, else the local control plane. `current` is the kind cluster of your kubeconfig.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CACHE := $(or $(PREG_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/private-registry-e2e)
HELM := $(CACHE)/bin/helm
# The scripts have a folder of that name.
export PREG_CLUSTER := $(or $(CLUSTER),$(PREG_CLUSTER))
unexport CLUSTER
CRD := crds/privateregistries.privateregistry.dev.yaml
STEP := @e2e/step.sh

##@ The two commands of the README

demo: ## A cluster, the operator, a registry, an image pushed to it and a pod started from it
	$(STEP) "Demo" e2e/demo.sh

test: test-fast e2e ## Every check: test-fast, then the end-to-end suite on a real cluster

##@ Checks

test-fast: fmt scripts clippy deny generated unit conformance chart docs-check ## Every check that needs no cluster

fmt: ## Source is formatted
	$(STEP) "Format" cargo fmt --all --check

scripts: ## Shell scripts: shellcheck finds nothing
	$(STEP) "Shell scripts" e2e/scripts-check.sh

clippy: ## No lint fires, warnings included
	$(STEP) "Clippy" cargo clippy --workspace --all-targets --locked --quiet -- -D warnings

deny: ## Dependencies: bans, licences and sources
	$(STEP) "Install cargo-deny" e2e/cargo-tool.sh cargo-deny 0.20
	$(STEP) "Dependencies" cargo deny --locked check bans licenses sources

unit: ## Unit, integration and architecture tests
	@[ "$$(id -u)" != 0 ] || e2e/apt-tool.sh redis-server=redis-server nginx=nginx-light strace=strace # who may not install them goes without their tests
	$(STEP) "Unit and integration tests" env $$([ "$$(id -u)" != 0 ] || echo REDIS_REQUIRED=1 NGINX_REQUIRED=1 STRACE_REQUIRED=1) \
		cargo test --workspace --exclude e2e --locked

conformance: ## The upstream OCI suite with every switch on; reports in target/conformance
	$(STEP) "Build the conformance suite" e2e/cluster/programs.sh conformance
	$(STEP) "Conformance suite" env CONFORMANCE_REQUIRED=1 PATH="$(CACHE)/bin:$$PATH" \
		cargo test --workspace --test http --locked -- --nocapture conformance::

generated: ## Generated files are what the sources print
	$(STEP) "Generated files" e2e/generated.sh check

generate: ## Print the CRD again, for crds/ and the chart, and the page of the API
	$(STEP) "Generate" e2e/generated.sh write

chart: $(HELM) ## Chart: lint, rendered manifests, schema, every value
	$(STEP) "Chart" env HELM=$(HELM) charts/check.sh

docs-check: ## Examples and commands in the docs
	$(STEP) "Docs" e2e/docs-check.sh

$(HELM): e2e/cluster/tools/helm/go.mod
	$(STEP) "Build helm" e2e/cluster/programs.sh helm

$(CACHE)/bin/crane: e2e/cluster/tools/clients/go.mod
	$(STEP) "Build the clients" e2e/cluster/programs.sh clients

##@ The end-to-end suite

e2e: ## The suite, on the cluster that CLUSTER= names (brought up, and left running)
	$(STEP) "Cluster, operator, tools" e2e/install.sh
	$(STEP) "End-to-end suite" e2e/run.sh
	$(STEP) "Every client" e2e/clients.sh
	$(STEP) "HTTP/1.1 and HTTP/2, 64 MiB" e2e/protocols.sh target/debug/registry-server 64 1

fuzz: ## Every fuzz target for SECONDS=n each (10 without it), or one of them: TARGET=route
	$(STEP) "Install cargo-fuzz" e2e/cargo-tool.sh cargo-fuzz 0.13
	$(STEP) "Fuzz" e2e/fuzz.sh $(or $(SECONDS),10) $(TARGET)

clients: ## Every client against the server, direct and behind nginx; no cluster
	$(STEP) "Every client" e2e/clients.sh

hostile: ## 10,000 idle connections and 200 uploads at once against a release build, with figures
	$(STEP) "Build the server" cargo build --release -p registry-server --locked
	$(STEP) "Hostile clients" env HOSTILE=1 PROGRAM_UNDER_TEST="$$(pwd)/target/release/registry-server" \
		cargo test --workspace --test command_line --locked -- --nocapture --test-threads=1 load::

protocols: $(CACHE)/bin/crane ## A push and a pull of 2 GiB by HTTP/1.1 and by HTTP/2, a release build, with figures
	$(STEP) "Build the server" cargo build --release -p registry-server --locked
	$(STEP) "HTTP/1.1 and HTTP/2" e2e/protocols.sh target/release/registry-server

scale: ## 1,000 registries under one operator, with figures (COUNT=n for another number)
	$(STEP) "Cluster, operator, tools" e2e/install.sh
	$(STEP) "Scale" e2e/scale.sh $(COUNT)

##@ The cluster

cluster-kind: ## Bring up a one-node kind cluster; prints its kubeconfig
	@e2e/cluster/kind-up.sh

cluster-local: ## Bring up a one-node Kubernetes of real binaries; prints its kubeconfig
	@e2e/cluster/local-up.sh

cluster-down: ## Remove both clusters and all that they left; built programs stay cached
	$(STEP) "Cluster down" e2e/cluster/down.sh

demo-down: cluster-down ## Remove what `make demo` made

cluster-killed: ## The local control plane, killed and brought up again: it resumes, and goes without a trace
	$(STEP) "Killed cluster" e2e/cluster/killed-check.sh

##@ Images

images: ## Build both images with the Dockerfile in a container engine, and run each once
	$(STEP) "Images" e2e/cluster/engine-images.sh

##@ Housekeeping

clean: ## Remove build output of this tree
	cargo clean

help: ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo test test-fast fmt scripts clippy deny unit conformance generated generate chart docs-check e2e clients fuzz hostile protocols scale cluster-kind \
	cluster-local cluster-down cluster-killed demo-down images clean help
