# make qemu            boots the demo: a shell on a terminal, else its tour
# make qemu MACHINE=q35
# make gdb             boots the demo's tour under gdb: docs/DEBUGGING.md
# make test            vet, hosted tests, fuzz targets, and the tests in QEMU on both machines
# make test ACCEL=kvm  the same under KVM, and what to report of it
# make machines        a small program on each of QEMU's machines, by firmware, and in Bochs: docs/MACHINES.md, twenty minutes
# make systemd         the service of a bundle under a systemd of its own, as root: docs/DEPLOYMENT.md
# make test-debian12   the same on Debian 12, as root and as an ordinary user, in a chroot that it
#                      makes: docs/HOSTS.md; test-debian13 and test-unstable likewise
# make fuzz            each fuzz target for FUZZTIME, 20s
# make bench           boot time and image size; then all of docs/benchmarks.md, an hour
# make count           instructions and exits of single operations, and where they go: docs/instructions.md, two minutes
# make bench-net       the network's rows of it alone, ten minutes
# make pictures        those of docs/TRACING.md, and its table
# make scale           open files, names, directories and files of any size, many CPUs: docs/scale.md, fifteen minutes
# make latency         small reads and timers beside writers and computing goroutines: docs/latency.md, ten minutes
# make scale-net       10,000 connections at once, and 100,000 one after the other, ten minutes
# make conformance     runs the standard library's own tests here and in guests: docs/conformance.md,
#                      and docs/conformance-network.md
# make compatibility   builds and runs programs and test suites of others: docs/COMPATIBILITY.md
# make recording       plays a session at the demo's shell: docs/demo.cast and docs/demo.svg
# make docs            the pages as a site with search, in bin/site, by Hugo in a guest; some minutes at first;
#                      what is searched for in a browser is found, where there is one
# make guides          types each of docs/guides in a clean clone, ten minutes
# make man             manual pages of yolk, in bin/man
# make toolchain       builds the GOOS=tamago Go

MACHINE  ?= microvm
ACCEL    ?= auto
ROOT     ?= cmd/demo/root
FUZZTIME ?= 20s
YOLK     := bin/yolk

# Packages whose tests run in the guest as well, the one that takes longest first.
GUEST_TESTS := ./fs/fstest ./guest ./arch/amd64 ./fs ./fs/tmpfs ./fs/procfs ./fs/devfs ./fs/fstest/coherence ./syscalls ./kernel/network ./cmd/demo

# The labs that run in a guest, with their solutions.
LABS := ./labs/internal/... $(foreach n,2 3 4 5 6,./labs/$(n) ./labs/solutions/$(n))

.PHONY: qemu gdb test machines systemd test-debian12 test-debian13 test-unstable fuzz bench bench-net count \
	pictures scale latency scale-net conformance compatibility toolchain deps tools vet clean FORCE \
	recording docs man guides

qemu: $(YOLK) deps
	@if [ -t 0 ]; then \
		exec $(YOLK) run --machine $(MACHINE) --root $(ROOT) ./cmd/demo; \
	else \
		exec $(YOLK) run --machine $(MACHINE) --root $(ROOT) ./cmd/demo -- tour; \
	fi

gdb: $(YOLK) deps
	@.ci/tools gdb=gdb
	@exec $(YOLK) debug --machine $(MACHINE) --root $(ROOT) ./cmd/demo tour

# The limit is for what hangs, on a machine that has other things to do as well.
LIMIT := -timeout=3h

# It counts sockets while the slower of two dials may still close its own, which begins
# after 300 ms: so it fails now and then on a machine that has other things to do. A
# socket that leaks is one each time, so that one of five runs has to pass.
BUSY_NET := ^TestDialerDualStackFDLeak$$

test: $(YOLK) deps tools toolchain vet
	YOLK_GUEST=1 YOLK_ACCEL=$(ACCEL) go test -count=1 $(LIMIT) $(TESTFLAGS) ./...
	cd cmd/yolk/internal/manifest/schematest && go test -count=1 $(TESTFLAGS) ./...
	.ci/fuzz $(FUZZTIME)
	go run ./cmd/bench/count -check -yolk $(YOLK)
	$(YOLK) test --accel $(ACCEL) --machine microvm $(LIMIT) $(TESTFLAGS) $(GUEST_TESTS)
	$(YOLK) test --accel $(ACCEL) --machine q35 $(LIMIT) $(TESTFLAGS) $(GUEST_TESTS)
	$(YOLK) test --accel $(ACCEL) --machine microvm --cpus 2 $(LIMIT) $(TESTFLAGS) $(filter-out ./fs/fstest,$(GUEST_TESTS))
	$(YOLK) test --accel $(ACCEL) --machine q35 --cpus 2 $(LIMIT) $(TESTFLAGS) ./guest ./arch/amd64 ./fs/fstest/coherence
	$(YOLK) test --accel $(ACCEL) --machine q35 --cpus 4 --daemon builtin $(LIMIT) $(TESTFLAGS) ./fs/fstest/coherence
	$(YOLK) test --accel $(ACCEL) --machine microvm --cpus 4 $(LIMIT) $(TESTFLAGS) ./fs/fstest/coherence
	$(YOLK) test --accel $(ACCEL) --machine microvm --cpus 2 $(LIMIT) $(TESTFLAGS) -short -skip '$(BUSY_NET)' net
	@for n in 1 2 3 4 5; do \
		set -x; $(YOLK) test --accel $(ACCEL) --machine microvm --cpus 2 $(LIMIT) $(TESTFLAGS) -short -count=1 -run '$(BUSY_NET)' net && exit; \
	done; exit 1
	$(YOLK) test --accel $(ACCEL) --machine microvm $(LIMIT) $(TESTFLAGS) -run '^TestPeriodicGC$$' runtime
ifeq ($(ACCEL),kvm)
	.ci/report $(YOLK)
endif

# The tools are GRUB's, and bochs; what is missing skips its tests.
machines: $(YOLK) deps toolchain
	@.ci/tools $(IMAGE_TOOLS) bochs="bochs bochs-term bochsbios vgabios"
	YOLK_GUEST=1 YOLK_MACHINES=1 YOLK_ACCEL=$(ACCEL) go test -count=1 $(LIMIT) -v -run 'TestGuest(Machines|Module|Multiboot|Booted|DiskExamples|Bochs)' ./cmd/yolk

systemd: $(YOLK) deps toolchain
	@.ci/tools systemctl=systemd curl=curl
	.ci/systemd $(YOLK)

fuzz:
	.ci/fuzz $(FUZZTIME)

# Root comes first: an ordinary user cannot install QEMU.
test-debian12: RELEASE := bookworm
test-debian13: RELEASE := trixie
test-unstable: RELEASE := sid
test-debian12 test-debian13 test-unstable:
	.ci/chroot $(RELEASE) root make test
	.ci/chroot $(RELEASE) user make test
	.ci/chroot --bare $(RELEASE) root make qemu

bench: $(YOLK) deps toolchain
	YOLK_GUEST=1 go test -run='^$$' -bench=. ./cmd/yolk
	go run ./cmd/bench/compare -docs docs -yolk $(YOLK)
	go run ./cmd/bench/net -page docs/benchmarks.md -yolk $(YOLK)

bench-net: $(YOLK) deps toolchain
	go run ./cmd/bench/net -page docs/benchmarks.md -yolk $(YOLK)

# What was counted in the Linux guest stays, and what waits for a server and so differs from run
# to run: make count COUNT="-linux -requests" counts that again.
count: $(YOLK) deps toolchain
	go run ./cmd/bench/count -page docs/instructions.md -yolk $(YOLK) $(COUNT)

# The pictures of docs/TRACING.md.
pictures: $(YOLK) deps toolchain
	$(YOLK) run -q --daemon builtin --root examples/fileserver/site --trace docs/trace.svg --trace-filter call,fuse,notify,path=/message.txt ./examples/readfile /message.txt
	$(YOLK) run -q --qemu-arg=-icount --qemu-arg=shift=0,sleep=off --boot-chart docs/boot.svg ./examples/readfile /proc/version
	go run ./cmd/bench/count -traced -page docs/TRACING.md -yolk $(YOLK)

scale: $(YOLK) deps toolchain
	go run ./cmd/bench/scale -page docs/scale.md -yolk $(YOLK) $(SCALE)
	go run ./cmd/bench/cpus -page docs/scale.md -yolk $(YOLK)

latency: $(YOLK) deps toolchain
	go run ./cmd/bench/latency -page docs/latency.md -yolk $(YOLK)

scale-net: $(YOLK) deps toolchain
	YOLK_GUEST=1 YOLK_SCALE=1 go test -count=1 -v -timeout=1h -run=TestScaleCrowd ./examples

# Half an hour and more under TCG; what was interrupted goes on where it stopped.
# After a change of the kernel: make conformance CONFORMANCE=--again
conformance: $(YOLK) deps toolchain
	go run ./cmd/conformance --yolk $(YOLK) $(CONFORMANCE)
	go run ./cmd/conformance --page conformance-network --yolk $(YOLK) $(CONFORMANCE)

# Up to two hours; what was interrupted goes on where it stopped, and a new build of Yolk runs
# all in guests again. For one item: go run ./cmd/compatibility -run ^age
compatibility: $(YOLK) deps toolchain
	go run ./cmd/compatibility -yolk $(YOLK) $(COMPATIBILITY)

recording: $(YOLK) deps toolchain
	go run ./cmd/recording -yolk $(YOLK)

# make docs DOCS=host runs Hugo on this machine.
docs: DOCS := yolk
docs: $(YOLK) deps toolchain
	go run ./docs/site -on $(DOCS) -yolk $(YOLK) -o bin/site
	YOLK_SITE=$(CURDIR)/bin/site go test -count=1 -v -run=TestSearch ./docs/site

# Types each guide in a clean clone of what is committed.
guides: $(YOLK) deps toolchain
	YOLK_GUEST=1 YOLK_DOCS=1 go test -count=1 $(LIMIT) -v -run TestGuestGuides ./docs

man: $(YOLK)
	$(YOLK) man --into bin/man

vet: $(YOLK) toolchain
	go vet ./...
	cd cmd/yolk/internal/manifest/schematest && go vet ./...
	$(YOLK) go vet ./arch/... ./drivers/... ./kernel/... ./syscalls/... ./cmd/demo/... $(LABS)

toolchain: $(YOLK)
	@$(YOLK) toolchain >/dev/null

deps: $(YOLK)
	@$(YOLK) doctor --install

# What yolk image takes, and the firmware that its images are tried with.
GRUB        := /usr/lib/grub
IMAGE_TOOLS := grub-mkimage=grub-common $(GRUB)/i386-pc/boot.img=grub-pc-bin $(GRUB)/x86_64-efi/kernel.img=grub-efi-amd64-bin \
	mcopy=mtools xorriso=xorriso qemu-img=qemu-utils /usr/share/OVMF/OVMF_CODE_4M.fd=ovmf

# What tests look at programs with: on a terminal, over the network, and in a debugger. Where
# one is missing, its tests are skipped, but fail in CI.
tools:
	@.ci/tools tmux=tmux mkfs.ext4=e2fsprogs mksquashfs=squashfs-tools mkfs.erofs=erofs-utils xz=xz-utils sfdisk=fdisk curl=curl ab=apache2-utils dig=bind9-dnsutils redis-cli=redis-tools ssh=openssh-client \
		chromium-headless-shell=chromium-headless-shell gdb=gdb $(IMAGE_TOOLS) \
		systemd-analyze=systemd virt-xml-validate=libvirt-clients xmllint=libxml2-utils

# The go command knows best whether there is something to build.
$(YOLK): FORCE
	@go build -o $@ ./cmd/yolk

clean:
	rm -rf bin
