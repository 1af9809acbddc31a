# StreamJob. `make demo` and `make test` do all the set-up on a bare Debian; `make check` is the quick loop.
#
# SAN=address,undefined or SAN=thread build into folders of their own.

comma := ,
SAN ?=
B := build/$(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
CC = gcc
PREFIX ?= /usr/local
VERSION := $(shell cat VERSION)

PKGS := libcurl jansson yaml-0.1 rdkafka libcrypto libmicrohttpd zlib libzstd
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
# What the operator's image carries: all but what only the runtime reads.
OPERATOR_LIBS = $(shell pkg-config --libs $(filter-out rdkafka libzstd,$(PKGS)) 2>/dev/null) -lpg_query -lm -lpthread

# -Wswitch-enum: a switch names every kind of its family, so that a new one is forgotten nowhere. A library's codes, of which only
# some are meant, are switched over as an (int).
WARN := -Wall -Wextra -Werror -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
	-Wformat=2 -Wimplicit-fallthrough -Wcast-qual -Wwrite-strings -Wno-format-nonliteral -Wswitch-enum
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fcf-protection=full
OPT := $(if $(SAN),-O1 -g1,-O2 -g) -fno-omit-frame-pointer
ifeq ($(shell uname -m),aarch64)
HARDEN := $(filter-out -fcf-protection=full,$(HARDEN))
endif
ifeq ($(SAN),)
OPT += -D_FORTIFY_SOURCE=2
# mimalloc replaces malloc in the whole runtime, also where only a library calls it; sanitizers bring their own. The operator
# has glibc's: docs/decisions/operator-memory.md.
MALLOC_LIB := -Wl,--push-state,--no-as-needed -lmimalloc -Wl,--pop-state
else
# At -O1 these two warn of what cannot be; the release build looks for both.
OPT += -fsanitize=$(SAN) -fno-sanitize-recover=all -Wno-maybe-uninitialized -Wno-format-truncation
MALLOC_LIB :=
endif

CFLAGS += -std=gnu17 $(OPT) $(WARN) $(HARDEN) -I. -Iinclude -D_GNU_SOURCE -DSTREAMJOB_VERSION='"$(VERSION)"' $(PKG_CFLAGS)
LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack $(if $(SAN),-fsanitize=$(SAN))
LIBS = $(PKG_LIBS) -lpg_query -lm -lpthread

SRC := $(shell find lib runtime operator -name '*.c' ! -name main.c ! -path 'runtime/worker/*' 2>/dev/null)
OBJ := $(SRC:%.c=$(B)/obj/%.o)
OPERATOR_MAIN := $(wildcard operator/*/main.c)
MAINS := runtime/cli/main.c $(OPERATOR_MAIN)
# One archive for all: each program takes the objects that it calls.
PROGRAMS := $(B)/streamjob $(B)/streamjob-worker $(if $(OPERATOR_MAIN),$(B)/streamjob-operator)
# The worker embeds CPython. It is never sanitized, as the interpreter is not: what it can do to the runtime is tested on
# the runtime's side.
WORKER_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(wildcard runtime/worker/*.c))
PYTHON_CFLAGS = $(patsubst -I%,-isystem %,$(shell pkg-config --cflags python3-embed 2>/dev/null))
SECCOMP_LIBS = $(shell pkg-config --libs libseccomp 2>/dev/null)
PYTHON_LIBS = $(shell pkg-config --libs python3-embed 2>/dev/null)
PYTHON_DEBUG_LIBS = $(addsuffix d,$(filter -lpython%,$(PYTHON_LIBS)))
TESTS := $(shell find tests/unit -name '*_test.c' 2>/dev/null)
# A pure room has no thread (make lint looks), so ThreadSanitizer has nothing to find in its tests, but where one makes threads.
ifeq ($(SAN),thread)
PURE := $(shell awk '!/^\#/ && $$2 == "pure" { print "tests/unit/" $$1 }' floors.txt)
TESTS := $(filter-out $(shell grep -rL --include='*_test.c' pthread $(wildcard $(PURE))),$(TESTS))
endif
TEST_BINS := $(TESTS:%.c=$(B)/%)
# What unit tests share: each test takes the objects that it calls.
NATIVE_FUNCTIONS := tests/unit/runtime/udf/native_functions.c
TEST_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(filter-out $(NATIVE_FUNCTIONS) tests/unit/hash_key.c,$(shell find tests/unit -name '*.c' ! -name '*_test.c')))
# Nobody calls it, so it is linked by name: the key of the hash tables in tests and benches.
TEST_HASH_KEY := $(B)/obj/tests/unit/hash_key.o
ALL_C := $(shell find lib runtime operator tests bench -name '*.[ch]' 2>/dev/null)

FUZZ_FLAGS := -std=gnu17 -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -I. -D_GNU_SOURCE \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
FUZZ_SRC := $(wildcard lib/base/*.c lib/data/*.c runtime/decode/*.c)
FUZZ_BINS := $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*_fuzz.c))

.PHONY: all build format lint check unit fuzz fuzz-worker fuzz-calls hostile-programs test test-programs bench chaos corpus tenants demo docs clean install uninstall images cluster cluster-down \
	demo-cluster deps deps-unit deps-check deps-test deps-cluster

all: build

# Debian packages, listed once in packages/; Dockerfiles read the same files.
DEPS_deps := build
DEPS_deps-unit := build unit
DEPS_deps-check := build unit check
DEPS_deps-cluster := build cluster
DEPS_deps-test := build unit check test cluster
deps deps-unit deps-check deps-test deps-cluster:
	@tests/check/packages.sh $(DEPS_$@)

build: deps
	@$(MAKE) --no-print-directory $(PROGRAMS)

# ThreadSanitizer sees librdkafka's threads and locks only through this.
C11_THREADS := $(if $(findstring thread,$(SAN)),$(B)/obj/tests/integration/sanitizers/c11_threads.o)

$(B)/streamjob: $(B)/obj/runtime/cli/main.o $(C11_THREADS) $(B)/libstreamjob.a
	$(CC) $(LDFLAGS) -o $@ $^ $(MALLOC_LIB) $(LIBS)

$(B)/streamjob-operator: $(OPERATOR_MAIN:%.c=$(B)/obj/%.o) $(B)/libstreamjob.a
	$(CC) $(LDFLAGS) -o $@ $^ $(OPERATOR_LIBS)

ifeq ($(SAN),)
$(WORKER_OBJ): CFLAGS += $(PYTHON_CFLAGS)

$(B)/streamjob-worker: $(WORKER_OBJ) $(B)/libstreamjob.a
	$(CC) $(LDFLAGS) -o $@ $^ $(PYTHON_LIBS) $(SECCOMP_LIBS) -lm -lpthread
else
$(B)/streamjob-worker: FORCE
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory SAN= build/release/streamjob-worker
	@cp -u build/release/streamjob-worker $@

FORCE:
endif

$(B)/libstreamjob.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/obj/%.o: %.c Makefile VERSION
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libtests.a: $(TEST_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/tests/%_test: tests/%_test.c $(TEST_HASH_KEY) $(C11_THREADS) $(B)/libtests.a $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ $(LDFLAGS) -o $@ $(filter %.c %.o %.a,$^) $(LIBS) -lcmocka

# The worker with a debug build of CPython, which counts references; for tests/run.py.
DEBUG_WORKER := $(B)/debug/streamjob-worker
$(DEBUG_WORKER): $(wildcard runtime/worker/*.[ch]) $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(filter-out -O2,$(CFLAGS)) -O1 $(PYTHON_CFLAGS) -DPy_DEBUG $(LDFLAGS) -o $@ $(filter %.c,$^) $(B)/libstreamjob.a \
		$(PYTHON_DEBUG_LIBS) $(SECCOMP_LIBS) -lm -lpthread

# A library of native functions for the tests of user functions.
NATIVE_LIBRARY := $(B)/tests/native_functions.so
$(NATIVE_LIBRARY): $(NATIVE_FUNCTIONS) include/streamjob/function.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g $(WARN) -Iinclude -fPIC -shared -o $@ $<

# What the integration tests run beside the program; they ask for it themselves.
PARITY := $(B)/tests/integration/postgres_parity/eval_expr
$(PARITY): tests/integration/postgres_parity/eval_expr.c $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ $(LDFLAGS) -o $@ $< $(B)/libstreamjob.a $(LIBS)

# The runtime against a worker that answers anything: the runtime has the sanitizers of $(B), the worker has none.
HOSTILE_WORKER := $(B)/tests/fuzz/hostile_worker
FUZZ_RUNTIME := $(B)/tests/fuzz/fuzz_runtime
$(HOSTILE_WORKER): tests/fuzz/hostile_worker.c runtime/udf/protocol.h
	@mkdir -p $(@D)
	$(CC) $(filter-out -fsanitize=%,$(CFLAGS)) -o $@ $< -lpthread
$(FUZZ_RUNTIME): tests/fuzz/fuzz_runtime.c $(TEST_HASH_KEY) $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ $(LDFLAGS) -o $@ $^ $(LIBS)

# The operator's rooms on a command line, for the fault tests.
FAULT_DRIVER := $(B)/tests/faults/driver
$(FAULT_DRIVER): tests/faults/driver.c $(TEST_HASH_KEY) $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -MF $@.d -MT $@ $(LDFLAGS) -o $@ $^ $(OPERATOR_LIBS)

-include $(OBJ:.o=.d) $(WORKER_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(TEST_HASH_KEY:.o=.d) $(MAINS:%.c=$(B)/obj/%.d) $(addsuffix .d,$(TEST_BINS) $(PARITY) $(FAULT_DRIVER))

$(B)/bench/%: bench/%.c $(TEST_HASH_KEY) $(B)/libstreamjob.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(MALLOC_LIB) $(LIBS)

format: deps-check
	clang-format -i $(ALL_C)

unit: deps-unit
	@$(MAKE) --no-print-directory $(TEST_BINS) $(PROGRAMS) $(NATIVE_LIBRARY)
	@tests/check/run_unit.sh $(B) $(TEST_BINS)
	@$(if $(SAN),:,/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/unit/python)

build/fuzz/%: tests/fuzz/%.c $(FUZZ_SRC) $(wildcard lib/*/*.h lib/spec/*/*.h runtime/decode/*.h runtime/record/*.h)
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) $(shell pkg-config --cflags jansson libcrypto) -o $@ $< $(FUZZ_SRC) \
		$(shell pkg-config --libs jansson libcrypto) -lm

fuzz: deps-test
	@$(MAKE) --no-print-directory $(FUZZ_BINS)
	@tests/fuzz/run.sh $(FUZZ_BINS)

# FUZZ_WORKER_SECONDS and FUZZ_WORKER_SEED may be given; ten minutes without.
fuzz-worker: deps-test
	@$(MAKE) --no-print-directory SAN=address,undefined hostile-programs
	@FUZZ_WORKER_SECONDS=$(or $(FUZZ_WORKER_SECONDS),600) build/san-address-undefined/tests/fuzz/fuzz_runtime \
		build/san-address-undefined/tests/fuzz/hostile_worker

# A runtime with sanitizers, the worker as it is, and a native function that makes random system calls. FUZZ_CALLS_SECONDS
# and FUZZ_CALLS_SEED may be given; ten minutes without.
HOSTILE_CALLS := build/fuzz-calls/hostile.so
$(HOSTILE_CALLS): tests/fuzz/hostile_calls.c include/streamjob/function.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -O2 -g $(WARN) -Iinclude -fPIC -shared -o $@ $<

fuzz-calls: deps-test
	@$(MAKE) --no-print-directory $(HOSTILE_CALLS) build/release/streamjob-worker
	@$(MAKE) --no-print-directory SAN=address,undefined build/san-address-undefined/streamjob
	@cp build/san-address-undefined/streamjob build/release/streamjob-worker build/fuzz-calls
	@FUZZ_CALLS_SECONDS=$(or $(FUZZ_CALLS_SECONDS),600) /usr/bin/python3 tests/fuzz/fuzz_calls.py \
		build/fuzz-calls/streamjob $(HOSTILE_CALLS)

hostile-programs: $(FUZZ_RUNTIME) $(HOSTILE_WORKER)

# Looks at the objects and asks the program for the generated files, so it builds both first.
lint: deps-check
	@$(MAKE) --no-print-directory $(PROGRAMS)
	@LINT_CFLAGS='$(PYTHON_CFLAGS)' tests/check/lint.sh

check: unit
	@$(MAKE) --no-print-directory lint

# All that the suites of tests/run.py run, so that none of them builds while others do.
test-programs:
	@$(MAKE) --no-print-directory $(TEST_BINS) $(PROGRAMS) $(NATIVE_LIBRARY) $(if $(SAN),$(FAULT_DRIVER) $(FUZZ_RUNTIME) $(HOSTILE_WORKER),$(PARITY) $(DEBUG_WORKER))

# ONLY="check cli" runs these suites alone.
test: deps-test
	@tests/run.py

# The ruler; ROWS, JOBS and RUNS may be given.
bench: deps-test build
	@$(MAKE) --no-print-directory $(B)/bench/consume $(B)/bench/stages $(B)/bench/functions
	@/usr/bin/python3 bench/run.py $(if $(ROWS),--rows $(ROWS)) $(if $(RUNS),--runs $(RUNS))
	@/usr/bin/python3 bench/functions.py $(if $(RUNS),--runs $(RUNS))
	@/usr/bin/python3 bench/run_operator.py $(if $(JOBS),--jobs $(JOBS)) $(if $(RUNS),--runs $(RUNS))

chaos: deps-test build
	@/usr/bin/python3 tests/chaos/chaos.py $(or $(KILLS),1000) $(SEED)

# 50 hostile pods beside 500 good jobs; make test has fewer.
tenants: build
	STREAMJOB_TENANTS="$(or $(TENANTS),500 50)" tests/integration/run.sh test_operator_tenants.py -s

demo: build
	@echo "examples/bucket-datagen.yaml, three windows of 2 s:"
	$(B)/streamjob run examples/bucket-datagen.yaml

docs: build
	$(B)/streamjob schema --crd >crds/streamjob.yaml
	$(B)/streamjob schema --reference >docs/reference.md

# `make install` puts the programs under DESTDIR and PREFIX. `make install KUBECONFIG=FILE` puts the operator in a cluster
# instead; a KUBECONFIG of the environment does not count, so that no cluster is changed by accident.
ifeq ($(origin KUBECONFIG),command line)
install uninstall:
	@KUBECONFIG='$(KUBECONFIG)' tests/cluster/operator.sh $@
else
install: build
	install -D -m 0755 -t $(DESTDIR)$(PREFIX)/bin $(PROGRAMS)
	install -D -m 0644 -t $(DESTDIR)$(PREFIX)/include/streamjob include/streamjob/function.h
	find python \( -name '*.py' -o -name '*.txt' \) -exec install -D -m 0644 {} $(DESTDIR)$(PREFIX)/lib/streamjob/{} \;

uninstall:
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,$(notdir $(PROGRAMS)))
	rm -rf $(DESTDIR)$(PREFIX)/lib/streamjob
endif

# Which public modules written for PyFlink load: MIRROR has their repositories, PYFLINK is a Python with apache-flink.
corpus: build
	@tests/pyflink/corpus.py --mirror $(MIRROR) $(if $(PYFLINK),--pyflink $(PYFLINK)) --list $(or $(LIST),fail)

# The images as archives, for `docker load`, `podman load`, `ctr images import`: prints where they are.
images: deps-cluster
	@tests/cluster/images.sh runtime operator runtime-python

# A real cluster on this machine; RUN=FOLDER names its state (default ~/.cache/streamjob/cluster).
cluster: deps-cluster
	@tests/cluster/up.sh && echo "up; to use it: . $${RUN:-$${STREAMJOB_CACHE:-$$HOME/.cache/streamjob}/cluster}/env"

cluster-down:
	@tests/cluster/down.sh

demo-cluster: deps-test
	@/usr/bin/python3 tests/cluster/demo.py

clean:
	rm -rf build
