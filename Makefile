# SPDX-License-Identifier: Apache-2.0
# `make help` lists what there is to make.

VERSION = 2.0.0-dev
PREFIX = /usr/local
BINDIR = $(PREFIX)/bin
MANDIR = $(PREFIX)/share/man
CC = gcc
CFLAGS = -O2 -g
BUILD = build

TOOLS = kwatch kdiff kenvelope kpublish
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wformat=2 -Wundef -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes $(WERROR)
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -DKOLLECT_VERSION='"$(VERSION)"' -Ilib -Inet -I$(BUILD)/proto \
	-fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -MMD -MP $(WARN) $(CFLAGS) $(SAN)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now $(LDFLAGS) $(SAN)

# What a tool is made of beside lib/ and its own folder.
WITH_kwatch = net
WITH_kpublish = net
LIBS_kwatch = -lcurl -lyaml
LIBS_kdiff = -llmdb -lzstd -lxxhash
LIBS_kenvelope = -lprotobuf-c -lcrypto
LIBS_kpublish = -lcurl -lrdkafka -lnats -lrabbitmq -lqpid-proton -lssl -lcrypto -lexpat -lpthread

SRC_lib = $(wildcard lib/*.c)
OBJ_lib = $(SRC_lib:%.c=$(BUILD)/%.o)
PROTO = $(sort $(shell find proto -name "*.proto"))
PROTO_C = $(PROTO:proto/%.proto=$(BUILD)/proto/%.pb-c.c)
PROTO_O = $(PROTO_C:%.c=%.o)
PROTO_A = $(BUILD)/proto/libproto.a
SRC_tools = $(foreach t,$(TOOLS) net,$(wildcard $t/*.c))
OBJ_tools = $(SRC_tools:%.c=$(BUILD)/%.o)
UNIT = $(patsubst test/unit/%.c,$(BUILD)/test/unit/%,$(wildcard test/unit/*.c))
FUZZ = $(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c))
MAN = $(wildcard */*.[157])

.PHONY: all help check check-unit check-bats lint asan tsan fuzz bench bench-cluster bench-rabbit install clean
.SECONDARY:
all: $(TOOLS:%=$(BUILD)/bin/%)

define tool_rule
$(BUILD)/bin/$1: $(patsubst %.c,$(BUILD)/%.o,$(wildcard $1/*.c $(WITH_$1:%=%/*.c))) $(OBJ_lib) $(PROTO_A)
	@mkdir -p $$(@D)
	$(CC) $(ALL_LDFLAGS) -o $$@ $$^ $$(LIBS_$1)
endef
$(foreach t,$(TOOLS),$(eval $(call tool_rule,$t)))

$(BUILD)/%.o: %.c $(PROTO_C)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

# Generated code is not ours to warn about.
$(BUILD)/proto/%.pb-c.c: proto/%.proto
	@mkdir -p $(@D)
	protoc-c -Iproto --c_out=$(BUILD)/proto $<
$(BUILD)/proto/%.o: $(BUILD)/proto/%.c
	$(CC) -std=c11 -I$(BUILD)/proto -fPIE $(CFLAGS) $(SAN) -c -o $@ $<
$(PROTO_A): $(PROTO_O)
	$(AR) rcs $@ $^

# folders N,BEFORE,AFTER: those of the tool that the Nth word of the target names.
part = $(word $1,$(subst _, ,$*))
folders = $(foreach f,$(call part,$1) $(WITH_$(call part,$1)),$2$f$3)

-include $(patsubst %.o,%.d,$(OBJ_lib) $(OBJ_tools)) $(UNIT:%=%.d)
$(BUILD)/test/unit/%: test/unit/%.c $(OBJ_lib) $(OBJ_tools) $(PROTO_A)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Itest/unit -I. $(ALL_LDFLAGS) -o $@ $< \
	    $(filter-out %/main.o,$(filter $(call folders,1,$(BUILD)/,/%.o),$(OBJ_tools))) \
	    $(OBJ_lib) $(PROTO_A) $(LIBS_$(call part,1)) -lm

# Stands between a tool and its system calls: test/real/faults.bats.
$(BUILD)/test/shim.so: test/shim/shim.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<

# Runs the units (TAP programs: lib_json.c is one of lib, kdiff_rv.c one of kdiff), then the quick
# bats files, which need Debian packages alone.
check-unit: $(UNIT)
	@failed=; for t in $(UNIT); do echo "# $$t"; $$t || failed=1; done; test -z "$$failed"
check-bats: all
	@kept=$$(mktemp -d) && BUILD=$(BUILD) test/lib/side-by-side "$$kept" test/*.bats; \
	    code=$$?; rm -rf "$$kept"; exit $$code
check: check-unit check-bats

SAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
asan:
	$(MAKE) BUILD=build/asan SAN='$(SAN_FLAGS)' CFLAGS='-O1 -g' WERROR=-Werror check
tsan:
	$(MAKE) BUILD=build/tsan SAN=-fsanitize=thread CFLAGS='-O1 -g' all

# A fuzz target is built from the real sources, with libFuzzer, and starts from its corpus in the
# tree; what it finds anew stays in build/. Two run side by side.
FUZZ_SECONDS = 60
FUZZ_LIBS = -ljq -lprotobuf-c
$(BUILD)/fuzz/%: test/fuzz/%.c $(SRC_lib) $(SRC_tools) $(PROTO_C)
	@mkdir -p $(@D)
	clang $(filter-out -MMD -MP,$(ALL_CFLAGS)) -O2 -fsanitize=fuzzer,address,undefined \
	    -fno-sanitize-recover=all -I. -o $@ $< $(PROTO_C) $(sort $(SRC_lib) \
	        $(filter-out %/main.c,$(wildcard $(call folders,2,,/*.c)))) \
	    $(FUZZ_LIBS) $(LIBS_$(call part,2))
fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)
	@printf '%s\n' $(FUZZ) | xargs -P 2 -I{} test/fuzz/run $(BUILD) {} $(FUZZ_SECONDS)

lint:
	test/lint

$(BUILD)/bench/%: test/bench/%.c $(OBJ_lib)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -I. $(ALL_LDFLAGS) -o $@ $< $(OBJ_lib) $(LIBS_kpublish)
bench: all $(patsubst test/bench/%.c,$(BUILD)/bench/%,$(wildcard test/bench/*.c))
	BUILD=$(BUILD) test/bench/run
	BUILD=$(BUILD) test/bench/state
	BUILD=$(BUILD) test/bench/buses
bench-rabbit: all $(BUILD)/bench/rabbit_floor
	BUILD=$(BUILD) test/bench/rabbit
bench-cluster: all
	test/bench/cluster

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5
	install -m 755 $(TOOLS:%=$(BUILD)/bin/%) scripts/kollect $(DESTDIR)$(BINDIR)
	install -m 644 $(wildcard */*.1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(wildcard */*.5) $(DESTDIR)$(MANDIR)/man5

clean:
	rm -rf build

help:
	@echo 'all          the tools, in $(BUILD)/bin (the default)'
	@echo 'check        unit tests and the quick tests of the tools'
	@echo 'lint         formatter, linters, static analysers, with both compilers'
	@echo 'asan tsan    check with address and undefined-behaviour sanitizers; build with tsan'
	@echo 'fuzz         each fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)'
	@echo 'bench        speed and memory beside cat, jq and python, and of each bus beside its clients'
	@echo 'bench-cluster  the whole pipeline on a real API server'
	@echo 'bench-rabbit rabbit:// beside a bare loop, on a real RabbitMQ'
	@echo 'install      into DESTDIR= PREFIX=$(PREFIX)'
	@echo 'All tests, real servers included: ./scripts/test'
