# What labs 2 to 6 need: yolk, QEMU and the toolchain.
prepare:
	@cd $(TOP) && go build -o bin/yolk ./cmd/yolk && \
		{ said=$$(bin/yolk doctor --install 2>&1) || { echo "$$said"; exit 1; }; } && \
		bin/yolk toolchain >/dev/null
