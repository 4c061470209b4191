# Everything a person or a CI types. `make` alone prints the list.
# Each target first sees to the environment in .venv; that costs a fraction of a second once it is there.

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory
# Images of Python set it, and then each of hundreds of processes would compile its libraries anew: TFX's for 17 seconds
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
SEARCH := $(BIN)/visual-search

DEMO ?= work/demo
ITEMS ?= 2000
LEAF_CATEGORIES ?= 30
SEED ?= 7
TESTS ?= tests
# Where real photos lie, unpacked: a folder with fashion60/ and grocery/ in it.
DATA ?= $(VISUAL_SEARCH_PHOTOS)

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## make or update the environment in .venv
	@bash tools/with_python.sh -m tools.setup_env

.PHONY: setup-airflow
setup-airflow: setup ## make or update Airflow's own environment in .venv-airflow
	@bash tools/with_python.sh -m tools.setup_env airflow

.PHONY: demo
demo: setup ## draw a catalogue of 2,000 products and take it to a promoted, searchable index (DEMO=, ITEMS=, SEED=)
	@# Python compiles TFX when it is first imported, for a quarter of a minute: it does so beside the drawing, on the other core
	@$(BIN)/python -c "from tfx import v1" 2> /dev/null & \
	$(SEARCH) demo $(DEMO) --items $(ITEMS) --leaf-categories $(LEAF_CATEGORIES) --seed $(SEED)
	$(SEARCH) run --config $(DEMO)/config.toml
	@# a dozen product photos and a dozen street photos, from all over the catalogue; some product photos are broken on purpose
	@$(SEARCH) search --config $(DEMO)/config.toml --html $(DEMO)/searches.html \
		$$(ls $(DEMO)/photos/*/*_2.jpg | shuf -n 12 --random-source=$(DEMO)/truth.json) \
		$$(ls $(DEMO)/street/*/*.jpg | shuf -n 12 --random-source=$(DEMO)/truth.json) || test -s $(DEMO)/searches.html
	$(SEARCH) status --config $(DEMO)/config.toml --runs 1
	@echo "A page of example searches: $(DEMO)/searches.html"

SERVE_PORT ?= 8800
.PHONY: serve
serve: setup ## answer queries from the demo's live release, with a page at http://127.0.0.1:8800 (DEMO=, SERVE_PORT=)
	@test -f $(DEMO)/config.toml || { echo "there is no $(DEMO)/config.toml yet: run \`make demo\` first" >&2; exit 1; }
	$(SEARCH) serve --config $(DEMO)/config.toml --port $(SERVE_PORT)

.PHONY: test
test: setup ## run the tests, a process a core (TESTS=tests/store for some of them)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --no-loadscope-reorder --durations 25 $(TESTS)
	@test "$(TESTS)" != tests || $(MAKE) test-dags

.PHONY: test-dags
test-dags: setup-airflow ## run the tests of the DAGs, in Airflow's environment
	.venv-airflow/bin/python -m pytest -n auto --maxprocesses 4 -m "not slow" tests/dags

.PHONY: test-airflow
test-airflow: setup-airflow ## start a real Airflow on loopback, and see that it leaves nothing behind
	.venv-airflow/bin/python -m pytest -m slow tests/dags

.PHONY: test-gcs
test-gcs: setup ## run the tests of a store in Google Cloud Storage, on an emulator that is built with Go
	VISUAL_SEARCH_GCS_SERVER=$$($(BIN)/python -m tools.gcs_emulator) && export VISUAL_SEARCH_GCS_SERVER \
		&& $(BIN)/python -m pytest -m gcs $(TESTS)

.PHONY: test-flink
test-flink: setup ## run the tests of a Flink cluster, on processes of this machine; needs Java and Maven
	VISUAL_SEARCH_FLINK=$$($(BIN)/python -m tools.flink_parts) && export VISUAL_SEARCH_FLINK \
		&& $(BIN)/python -m pytest -v -m flink $(TESTS)

.PHONY: test-opensearch
test-opensearch: setup ## run the tests of exports to OpenSearch, on a real node of it; needs a JDK and Maven
	VISUAL_SEARCH_OPENSEARCH=$$($(BIN)/python -m tools.opensearch_parts) && export VISUAL_SEARCH_OPENSEARCH \
		&& $(BIN)/python -m pytest -v -m opensearch $(TESTS)

.PHONY: flink flink-stop
flink: setup ## a Flink cluster of processes on this machine, and the lines of a config that runs on it
	@bash tools/with_python.sh -m tools.local_flink start

flink-stop: ## end them
	@bash tools/with_python.sh -m tools.local_flink stop

.PHONY: images
images: setup ## build the container images with Docker (IMAGES="launcher worker …", REGISTRY=)
	REGISTRY=$(REGISTRY) $(BIN)/python -m tools.images $(IMAGES)

.PHONY: test-images
test-images: setup ## build and run the container images, with Docker or in systems of their own (docs/images.md)
	@mkdir -p work/images
	VISUAL_SEARCH_IMAGES=work/images $(BIN)/python -m pytest -m images tests/infra

.PHONY: test-browser
test-browser: setup ## use the service's page in Chromium, which is installed if it is lacking
	@command -v chromium > /dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; }
	VISUAL_SEARCH_CHROMIUM=$$(command -v chromium) $(BIN)/python -m pytest -v -m browser $(TESTS)

PORT ?= 8080
.PHONY: airflow airflow-postgres
airflow: setup-airflow ## Airflow with the DAGs and the demo's catalogue, on this machine alone (PORT=, DEMO=)
	@test -f $(DEMO)/config.toml || $(SEARCH) demo $(DEMO) --items $(ITEMS) --leaf-categories $(LEAF_CATEGORIES) --seed $(SEED)
	.venv-airflow/bin/python -m tools.local_airflow --config $(DEMO)/config.toml --port $(PORT) $(AIRFLOW_OPTIONS)

airflow-postgres: AIRFLOW_OPTIONS := --postgres --home work/airflow-postgres
airflow-postgres: airflow ## the same with its state in PostgreSQL, which must be installed

.PHONY: check
check: setup-airflow ## lint, types, links and commands of the docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --python-executable .venv-airflow/bin/python dags
	$(BIN)/python -m tools.check_docs

.PHONY: lint
lint: setup ## ruff alone
	$(BIN)/ruff check .

.PHONY: format
format: setup ## rewrite the source as ruff formats it, and docs/dags.md
	$(BIN)/ruff check --select I --fix .
	$(BIN)/ruff format .
	$(BIN)/python -m tools.dag_docs

.PHONY: fashion
fashion: setup photos-fashion60 ## take the 44,072 real photos of fashion60 through every stage (DATA=, under an hour)
	$(SEARCH) run --config infra/environments/fashion60.toml

.PHONY: grocery
grocery: setup photos-grocery ## phone photos against the catalogue images of grocery (DATA=)
	$(SEARCH) run --config infra/environments/grocery.toml

# The environments in infra/ look for photos in work/photos, so that they hold no machine's paths: it is linked to DATA.
photos-%:
	@mkdir -p work
	@test -z "$(DATA)" || test -d work/photos -a ! -L work/photos || ln -sfn "$(abspath $(DATA))" work/photos
	@test -f work/photos/$*/index.csv || { echo "$(or $(DATA),work/photos)/$*/index.csv is not there: say DATA=FOLDER, the folder that holds $*/ unpacked" >&2; exit 2; }

.PHONY: bench
bench: setup ## run every benchmark; each keeps its last result beside it
	@for bench in embed preprocess train memory; do echo "$$bench"; $(BIN)/python -m benchmarks.bench_$$bench || exit 1; done

.PHONY: lock
lock: setup ## resolve requirements/*.in again, keeping versions that still fit (UPGRADE=--upgrade for the newest)
	$(BIN)/python -m tools.lock $(UPGRADE)

.PHONY: clean
clean: ## remove the environment, the tools' caches and the demo; downloads and other stores stay
	rm -rf .venv .venv-airflow .mypy_cache .ruff_cache .pytest_cache build dist *.egg-info $(DEMO)
	find . -name __pycache__ -type d -not -path './work/*' -prune -exec rm -rf {} +
