# make demo        the system "subdomains" on hosts of this machine, and a table of what runs where;
#                  SYSTEM=autoscaled, subdomains-ec2, subdomains-ec2-direct: on a region of this machine, made
#                  through the AWS API
# make demo-down   removes everything the demo made on this machine
# make region      tests of the AWS region, on real hosts
# make cloud       an AWS region on this machine: its API, and what it makes real
# make cloud-down  removes everything the region made on this machine
# make test        everything once
# make test-faults every position of every fault, resumable
# make bench       the figures, as ratios measured in one run

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

SYSTEM ?= subdomains
SCENARIOS := $(notdir $(patsubst %/converge.yml,%,$(wildcard molecule/*/converge.yml)))

.PHONY: demo demo-down cloud cloud-down test test-faults bench setup lint sanity unit control-plane region system system-autoscaled system-subdomains-ec2 scenarios end-to-end faults faults-provisioning $(addprefix molecule-,$(SCENARIOS))

demo: setup
	@PYTHONPATH=.collections python -m lab.demo --system $(SYSTEM)

demo-down:
	@if [ -x .venv/bin/python ]; then
	  .venv/bin/python -m lab.region down
	  .venv/bin/python -m lab down --all --images
	else
	  echo "There is no .venv, so nothing of this checkout was brought up."
	fi

cloud: setup
	@python -m lab.region up

cloud-down:
	@if [ -x .venv/bin/python ]; then
	  .venv/bin/python -m lab.region down --images
	else
	  echo "There is no .venv, so nothing of this checkout was brought up."
	fi

# Two at a time on two cores; what counts seconds, or looks at what is left on the machine, has it for itself.
test: setup
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint unit control-plane scenarios
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target system-autoscaled system-subdomains-ec2 faults-provisioning faults sanity
	$(MAKE) --no-print-directory end-to-end region

test-faults: setup
	@pytest tests/system --every-position
	pytest tests/faults --every-position --resume

bench: setup
	@PYTHONPATH=.collections python -m benchmarks

setup:
	@requirements/install.sh

lint:
	@echo "== lint"
	ruff check .
	ruff format --check .
	yamllint --strict .
	ansible-lint --offline --strict
	MYPYPATH=.collections mypy --explicit-package-bases -p ansible_collections.gatehouse.platform.plugins
	MYPYPATH=.collections mypy lab benchmarks tests/harness.py tests/system/autoscaled.py
	antsibull-changelog lint
	GIT_CEILING_DIRECTORIES=$(CURDIR) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=dependent --disallow-unknown-collection-refs .collections/ansible_collections/gatehouse/platform
	shellcheck requirements/install.sh tests/*.sh .ci/run

sanity:
	@echo "== ansible-test sanity"
	tests/sanity.sh

unit:
	@echo "== unit tests"
	tests/units.sh
	pytest tests/controller tests/lab
	pytest applications

control-plane:
	@echo "== against the API of an AWS account"
	pytest --numprocesses=2 --dist=worksteal tests/cloud

region:
	@echo "== an AWS region on this machine"
	pytest tests/region

system: system-autoscaled system-subdomains-ec2

system-autoscaled:
	@echo "== the system autoscaled, on a region of its own"
	pytest tests/system --ignore tests/system/test_subdomains_ec2.py

system-subdomains-ec2:
	@echo "== the system subdomains on machines of EC2, on a region of its own"
	pytest tests/system/test_subdomains_ec2.py

scenarios: $(addprefix molecule-,$(SCENARIOS))

$(addprefix molecule-,$(SCENARIOS)): molecule-%:
	@echo "== molecule $*"
	molecule test --scenario-name $*

faults:
	@echo "== one position of every kind of fault"
	pytest tests/faults --ignore tests/faults/test_provisioning.py

faults-provisioning:
	@echo "== a fault in every role that builds an account"
	pytest tests/faults/test_provisioning.py

end-to-end:
	@echo "== end to end"
	pytest tests/end_to_end
