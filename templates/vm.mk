# The virtual machine of a project: every target is one line over ksbuild. `make help` lists them.
#
# Variables, on the command line or in the environment; an empty one leaves it to the recipe (ksbuild.yaml):
KSBUILD ?= ksbuild
OUT ?= out
VM_NAME ?=
# Alpine's branch and the number after it: ALPINE_VERSION=3.23 ALPINE_MINOR=6 is the release 3.23.6.
ALPINE_VERSION ?=
ALPINE_MINOR ?=
# The memory in MiB, the processors, the data disk in GiB; or sizes such as 2GiB. They count when the machine is made.
VM_MEMORY ?=
VM_CPUS ?=
DATA_DISK_SIZE ?=
SSH_USER ?=
# A private key to log in with, instead of your own keys and agent.
SSH_KEY ?=
# The bundle's version, for create, upgrade and rollback.
VERSION ?=
# What is handed on: to ssh and kubectl the command, to logs -f, to up, create, setup and destroy any of their options.
ARGS ?=

# A word for the shell, whatever is in it; an option with its value, where there is one.
vm_word = '$(subst ','\'',$(1))'
vm_option = $(if $(2),$(1) $(call vm_word,$(2)))
vm_out = $(call vm_word,$(or $(strip $(OUT)),out))
ifeq ($(subst /,,$(or $(strip $(OUT)),out)),)
$(error OUT cannot be the root of the file system)
endif
vm_name = $(call vm_option,--name,$(VM_NAME)) --out $(vm_out)
vm_login = $(call vm_option,--identity,$(SSH_KEY)) $(call vm_option,--ssh-user,$(SSH_USER))
vm_alpine = $(call vm_option,--alpine,$(ALPINE_VERSION)$(if $(ALPINE_MINOR),.$(ALPINE_MINOR)))
vm_making = $(vm_alpine) $(call vm_option,--memory,$(VM_MEMORY)) $(call vm_option,--cpus,$(VM_CPUS)) \
	$(call vm_option,--disk,$(DATA_DISK_SIZE)) $(call vm_option,--ssh-user,$(SSH_USER))

.PHONY: help up down setup check download create start stop restart destroy ssh console ip status info logs
.PHONY: kubesolo-status kubesolo-restart kubectl kubeconfig upgrade rollback clean clean-all version check-updates

help: ## list the targets
	@awk -F ':+.*## ' '/^[a-z-]+:+.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## prepare this host for virtual machines; says what it does first
	$(KSBUILD) vm setup $(ARGS)

check: ## say what this host lacks, and how to mend it
	$(KSBUILD) vm check --out $(vm_out) $(ARGS)

download: ## fetch and verify what the lock names, or look that up first
	$(KSBUILD) fetch $(vm_alpine) $(if $(wildcard ksbuild.lock),,--update-lock) $(ARGS)

up: ## from the recipe to a healthy node, with whatever that takes
	$(KSBUILD) vm up $(vm_name) $(vm_making) $(call vm_option,--version,$(VERSION)) $(ARGS)

down: ## shut the node down; everything stays
	$(KSBUILD) vm down $(vm_name) $(ARGS)

create: ## make the machine, and start nothing
	$(KSBUILD) vm create $(vm_name) $(vm_making) $(call vm_option,--version,$(VERSION)) $(ARGS)

start: ## start the machine and wait until the node is healthy
	$(KSBUILD) vm start $(vm_name) $(ARGS)

stop: ## shut the node down and wait until the machine is off
	$(KSBUILD) vm stop $(vm_name) $(ARGS)

restart: ## stop, wait, start, wait
	$(KSBUILD) vm restart $(vm_name) $(ARGS)

destroy: ## remove the machine; images, bundles and the data disk stay
	$(KSBUILD) vm destroy $(vm_name) $(ARGS)

ssh: ## log in to the node, or run ARGS there
	@$(KSBUILD) vm ssh $(vm_name) $(vm_login) -- $(ARGS)

console: ## the serial console; Ctrl-] leaves it
	@$(KSBUILD) vm console $(vm_name)

ip: ## the node's address
	@$(KSBUILD) vm ip $(vm_name) $(ARGS)

status: ## what the machine does, with which version, and how the node is
	@$(KSBUILD) vm status $(vm_name) $(ARGS)

info: ## what the machine is made of, and where its files are
	@$(KSBUILD) vm info $(vm_name)

logs: ## what the node has logged; ARGS=-f follows
	@$(KSBUILD) vm logs $(vm_name) $(vm_login) $(ARGS)

kubesolo-status: ## KubeSolo's service and health on the node
	@$(KSBUILD) vm kubesolo status $(vm_name) $(vm_login)

kubesolo-restart: ## restart KubeSolo's service
	$(KSBUILD) vm kubesolo restart $(vm_name) $(vm_login)

kubectl: ## kubectl ARGS on the node's cluster
	@$(KSBUILD) vm kubectl $(vm_name) $(vm_login) -- $(ARGS)

kubeconfig: ## print the cluster's configuration; ARGS=--merge puts it into yours
	@$(KSBUILD) vm kubeconfig $(vm_name) $(vm_login) $(ARGS)

upgrade: ## to VERSION, or the newest bundle, and back by itself where the node is not well with it
	$(KSBUILD) vm upgrade $(vm_name) $(if $(VERSION),$(call vm_word,$(VERSION))) $(ARGS)

rollback: ## to the version that was confirmed before, or VERSION
	$(KSBUILD) vm rollback $(vm_name) $(call vm_option,--to,$(VERSION)) $(ARGS)

version: ## ksbuild's version, and the bundles that are there
	@$(KSBUILD) --version
	@$(KSBUILD) list --out $(vm_out)

check-updates: ## what is newer than the lock
	$(KSBUILD) outdated $(ARGS)

clean:: ## remove images that can be made again; bundles and machines stay
	rm -rf -- $(vm_out)/*.iso $(vm_out)/*.apkovl.tar.gz $(vm_out)/boot

clean-all: clean ## remove the machine with its data, and the bundles; asks before each
	$(KSBUILD) vm destroy $(vm_name) --data || true
	@printf 'remove all bundles in %s? [y/N] ' $(vm_out) && read -r answer && [ "$$answer" = y ] && \
		chmod -R u+w $(vm_out)/bundles && \
		rm -rf $(vm_out)/bundles $(vm_out)/store $(vm_out)/current $(vm_out)/history.jsonl || echo 'the bundles stay'
