# ksbuild: build, test and install. `make help` lists the targets.
PREFIX ?= /usr/local
DESTDIR ?=
DIST ?= dist
CONFIGURATION ?= debug
SWIFT ?= swift
LAB ?= $(if $(KSBUILD_LAB),$(KSBUILD_LAB),$(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/ksbuild-lab)
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E)
export KSBUILD_LAB := $(LAB)
export PATH := $(CURDIR)/.build/peers/bin:$(PATH)

# Tests run optimised, as ksbuild is shipped; it also makes those that try thousands of states many times faster.
TESTING = -c release -Xswiftc -enable-testing

# Boots that only `make test-long` runs.
LONG_BOOTS = without a data disk|gives way to the old one|as a CD under BIOS|the users cannot be made|static address under UEFI|ends the boot in the recovery shell|as a disk under BIOS|as a CD under UEFI|as a USB stick under UEFI|gives its own reason|at thirty instants|other nodes of a fleet

# Lives of virtual machines that only `make test-vm` and `make test-long` go through.
LONG_LIVES = works on QEMU alone|lives in a session

# Tests that boot nothing and that only `make test-long` runs.
LONG_TESTS = every power failure|every synchronisation|every call|for two minutes|ten thousand|every flip of every bit|two hundred fetches|fifty fetches|a hundred times

# Suites that keep all processors busy for long; beside them, tests with time limits would not be fair.
HEAVY = ^BundleTests\.(CrashTests|FaultTests|HammerTests|SignedTamperTests)|^APKOVLTests\.RestoreCrashTests|^UpstreamTests\.CacheProcessTests|^PublishTests\.InterruptionTests

# Suites that mostly wait for machines of a few bytes, beside boots as well as alone.
PATIENT = ^MachineTests\.ReplacementTests

# The targets for a virtual machine, which a project has too; here they run what was built.
KSBUILD ?= $(CURDIR)/.build/release/ksbuild
include templates/vm.mk

.PHONY: deps build release lab test test-quick test-boot test-vm test-long mutants demo lint bench install dist dist-command

deps: ## install what building and testing need (Debian packages; PyPI packages into .build/peers)
	@Tests/Peers/install

build: ## build for debugging
	$(SWIFT) build

release: ## build optimised: .build/release/ksbuild
	$(SWIFT) build -c release --product ksbuild --static-swift-stdlib

lab: ## make the test laboratory: a real Alpine image and stand-ins, cached
	@$(AS_ROOT) Tests/Lab/make-lab

lint: ## formatting, shell scripts
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests
	@Tests/Peers/lint-scripts

test: deps lint lab ## the whole test suite: units first, boots last
	$(SWIFT) build $(TESTING) --build-tests
	$(SWIFT) test $(TESTING) --skip-build --skip '^(BootTests|MachineTests|VMTests|CommandTests|PublishTests)\.|$(HEAVY)'
	$(SWIFT) test $(TESTING) --skip-build --filter '^(CommandTests|PublishTests)\.' --skip '$(HEAVY)'
	$(SWIFT) test $(TESTING) --skip-build --filter '$(HEAVY)' --skip '$(LONG_TESTS)'
	$(SWIFT) test $(TESTING) --skip-build --filter '^(MachineTests|VMTests)\.' --skip '$(PATIENT)|^VMTests\.LifeTests'
	$(SWIFT) test $(TESTING) --skip-build --filter '^BootTests\.|^VMTests\.LifeTests|$(PATIENT)' --skip '$(LONG_BOOTS)|$(LONG_LIVES)'

test-long: test ## the whole test suite, every state and every boot
	$(SWIFT) test $(TESTING) --skip-build --filter '$(LONG_TESTS)'
	$(SWIFT) test $(TESTING) --skip-build --filter '$(LONG_BOOTS)|$(LONG_LIVES)'

test-quick: ## the tests that boot nothing, in a debug build
	$(SWIFT) test --skip 'BootTests|VMTests|$(LONG_TESTS)'

test-boot: lab ## the tests that boot machines
	$(SWIFT) test $(TESTING) --filter BootTests

test-vm: deps lab ## virtual machines: every target of a project's Makefile on libvirt and on QEMU alone
	$(SWIFT) test $(TESTING) --filter '^VMTests\.|^MachineTests\.'

mutants: deps lab ## take checks out of the code, one at a time, and see which test notices
	Tests/Mutants/run

demo: ## install what is needed, build, and boot a bundle of the starter recipe until it is healthy
	@Tests/Peers/install
	@$(MAKE) --no-print-directory release lab
	@Tests/demo

bench: release ## compare whole processes with the peer programs
	$(SWIFT) build -c release --product store-exercise --static-swift-stdlib
	Benchmarks/run

install: release ## install below PREFIX: the command, its resources, manual pages, completions
	@Packaging/lay-out .build/release/ksbuild "$(DESTDIR)$(PREFIX)"

dist: dist-command ## pack a release: dist/ksbuild-VERSION-linux-ARCH.tar.gz and SHA256SUMS
	@Packaging/dist .build-dist/release/ksbuild "$(DIST)"

# A build of its own: in it nothing says where the checkout lies, so that every checkout gives the same bytes.
dist-command:
	$(SWIFT) build -c release --product ksbuild --static-swift-stdlib --scratch-path .build-dist \
		-Xcc -ffile-prefix-map="$(CURDIR)=." -Xcxx -ffile-prefix-map="$(CURDIR)=." \
		-Xswiftc -file-prefix-map -Xswiftc "$(CURDIR)=."

clean:: ## remove what was built; the laboratory stays in the cache
	rm -rf .build .build-dist out/demo dist
