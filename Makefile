# Needs Python 3.11 or newer and make. Everything else is installed into .venv.

PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11,\
	$(shell $(python) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(python))))
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
NATIVE := $(VENV)/.argon2-native
NATIVE_CFLAGS := -O3 -march=native
CLIENT := web/client/dist/index.js
EXPLORER := api/static/explorer/index.html
ACCOUNT := api/static/account/index.html
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test docs test-browser test-clients bench soak check install argon2-native explorer account wheel lock

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*  ## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | LC_ALL=C sort -u -t'|' -k1,1 | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

run: install .env  ## set up what is missing, and serve on http://127.0.0.1:8000
	@$(MAKE) --no-print-directory explorer account || echo "The pages could not be built; the API runs without them."
	@$(BIN)/gatehouse serve

test: check  ## run all checks and tests; on PostgreSQL too if TEST_POSTGRES_URL is set
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --max-worker-restart 0

check: install  ## check style, types and imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## build the documentation as a site in build/docs; a broken link fails
	$(BIN)/sphinx-build --fail-on-warning --keep-going --fresh-env --quiet --conf-dir docs . build/docs
	@echo "Open build/docs/index.html in a browser."

test-browser: install web/node_modules/.installed clients/openid-provider/node_modules/.installed explorer account $(VENV)/.browser  ## test the pages in Chromium; SCREENSHOTS=1 renews the pictures in docs/
	$(BIN)/pytest browser --numprocesses auto --dist loadfile --max-worker-restart 0

test-clients: install web/node_modules/.installed clients/openid-provider/node_modules/.installed clients/federation/node_modules/.installed clients/s3/.venv/.installed $(CLIENT)  ## test with Apollo, urql, Relay and other clients, a certified OpenID provider, a gateway, and S3
	$(BIN)/pytest clients

bench: install benchmarks/.venv/.installed benchmarks/peers/node_modules/.installed  ## benchmark against peers (25 min; needs wrk, Node.js, PostgreSQL's server and PgBouncer); ONLY=me,page runs a part
	$(BIN)/python -m benchmarks.run
	benchmarks/.venv/bin/python -m benchmarks.report

comma := ,
soak: install  ## test the guarantees under failures and attacks (65 min); ONLY=kill,disk runs a part
	$(BIN)/pytest soak -s -o faulthandler_timeout=0 $(if $(ONLY),-k "$(subst $(comma), or ,$(ONLY))")

# Environments of their own, for peers with packages that nothing else needs.
%/.venv/.installed: %/requirements.lock
	$(PYTHON) -m venv $*/.venv
	$*/.venv/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes --requirement $<
	@touch $@

explorer:  ## build the page at /graphql; needs npm
account:  ## build the pages at /account; needs npm
ifeq ($(shell command -v npm 2>/dev/null),)
explorer:
	@echo "npm was not found: the page at /graphql $(if $(wildcard $(EXPLORER)),stays as it was built,will load from a CDN)."
account:
	@echo "npm was not found: the pages at /account $(if $(wildcard $(ACCOUNT)),stay as they were built,will be missing)."
else
explorer: $(EXPLORER)
	@:
account: $(ACCOUNT)
	@:
endif

# The npm package @gatehouse/client, which the other folders in web/ import.
$(CLIENT): web/node_modules/.pages web/client/package.json web/client/tsconfig.json web/client/manifest.js $(wildcard web/client/src/*)
	cd web && npm run --silent build --workspace client
	@touch $@

$(EXPLORER): web/node_modules/.pages $(CLIENT) $(shell find web/explorer -name node_modules -prune -o -type f -print)
	cd web && npm run --silent build --workspace explorer
	@touch $@

$(ACCOUNT): web/node_modules/.pages $(CLIENT) $(shell find web/account -name node_modules -prune -o -type f -print)
	cd web && npm run --silent build --workspace account
	@touch $@

# The pages and the client need a quarter of the packages.
web/node_modules/.pages: web/package-lock.json
	cd web && npm ci --silent --workspace explorer --workspace account --workspace client
	@touch $@

web/node_modules/.installed: web/package-lock.json
	cd web && npm ci --silent
	@touch $@ web/node_modules/.pages

%/node_modules/.installed: %/package-lock.json
	cd $* && npm ci --silent
	@touch $@

$(VENV)/.browser: requirements-browser.lock | install
	$(PIP) install --require-hashes --requirement requirements-browser.lock
	@touch $@

$(VENV)/.docs: requirements-docs.lock | install
	$(PIP) install --require-hashes --requirement requirements-docs.lock
	@touch $@

# A native Argon2 is kept: it is built again when the lock changes.
install: $(INSTALLED) $(wildcard $(NATIVE))  ## install the locked packages into .venv

$(INSTALLED): requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Gatehouse needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

argon2-native: $(NATIVE)  ## build Argon2 for this processor (needs a C compiler)

# Builds the locked source with its locked hash. A cached wheel may have other flags. The test verifies a
# hash of the published build.
$(NATIVE): requirements.lock requirements-native.lock | $(INSTALLED)
	@command -v $${CC:-cc} >/dev/null || { echo "A C compiler is required: install gcc or clang, or name one in CC."; exit 1; }
	@test -e "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" \
		|| { echo "Python's headers are required: install python3-dev or python3-devel."; exit 1; }
	$(PIP) install --require-hashes --requirement requirements-native.lock
	@sed -n '/^argon2-cffi-bindings==/,/[^\\]$$/p' requirements.lock > $(VENV)/argon2.lock
	CFLAGS="$(NATIVE_CFLAGS)" $(PIP) install --require-hashes --no-binary argon2-cffi-bindings --no-build-isolation --no-deps \
		--force-reinstall --no-cache-dir --requirement $(VENV)/argon2.lock
	$(BIN)/pytest --quiet -k another_build tests/test_passwords.py
	@touch $@

.env: | install
	@secret=$$($(BIN)/gatehouse secret) && key=$$($(BIN)/gatehouse secret) && umask 077 \
		&& sed "s|^SECRET_KEY=.*|SECRET_KEY=$$secret|; s|^DATA_KEY=.*|DATA_KEY=$$key|" .env.example > $@
	@echo "Created .env with a new SECRET_KEY and DATA_KEY."

wheel: install explorer account  ## build a wheel that contains the pages, into dist/
	$(BIN)/python -m hatchling build -t wheel

lock:  ## update the pinned versions and hashes
	$(PYTHON) -m venv .lock-venv
	.lock-venv/bin/python -m pip --quiet install uv
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet --output-file requirements.lock pyproject.toml
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements.lock --quiet --output-file requirements-dev.lock --group dev pyproject.toml
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements-dev.lock --quiet --output-file requirements-browser.lock --group browser
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements-dev.lock --quiet --output-file requirements-docs.lock --group docs
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements-dev.lock --quiet --output-file requirements-native.lock --group native
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraint requirements-dev.lock --quiet --output-file requirements-build.lock --group build
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet --output-file benchmarks/requirements.lock benchmarks/requirements.in
	.lock-venv/bin/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--quiet --output-file clients/s3/requirements.lock clients/s3/requirements.in
