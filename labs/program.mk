# What labs 2 to 6 need: yolk, QEMU and the toolchain.
prepare:
	@cd $(TOP) && go build -o bin/yolk ./cmd/yolk && bin/yolk doctor --install >/dev/null && bin/yolk toolchain >/dev/null
