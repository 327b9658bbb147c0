# What every lab's Makefile includes:
#
#   make check   tells how far you are
#   make run     boots the lab and shows what it prints

LAB := $(notdir $(CURDIR))
TOP := ../..

.PHONY: check run

check run: | prepare
	@cd $(TOP) && go run ./labs/check $(if $(filter run,$@),-run) $(LAB)

.PHONY: prepare
