# One verb each; scripts/<verb> does the work and says what it needs.
# Values are given on the command line, `make run PORT=8080`: a HOST or PORT that happens to be
# in the environment is not taken, because shells set HOST and it would open the server to others.
HOST = 127.0.0.1
PORT = 8000
NAME =
DATA =
ARGS =

.PHONY: help run test lint probe bench load fuzz train model image document lock clean

help: ## list these
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

run: ## set up what is missing and serve; HOST=, PORT=, ARGS="more flags of serve"
	@sh scripts/run --host "$(HOST)" --port "$(PORT)" $(ARGS)

test: ## set up what is missing, check the style, run every test; ARGS="arguments of pytest"
	@sh scripts/test $(ARGS)

lint: ## check style and format
	@sh scripts/lint

probe: ## ask the API what its own description permits and forbids; ARGS="--examples 300"
	@sh scripts/probe $(ARGS)

bench: ## measure; ARGS="serving" for one of them
	@sh scripts/bench $(ARGS)

load: ## measure a class of two hundred streams at once; ARGS="--quick"
	@sh scripts/load $(ARGS)

fuzz: ## change files of weights at random, see that the reader refuses them; ARGS="--rounds 200000"
	@sh scripts/fuzz $(ARGS)

train: ## train a checkpoint; NAME=shakespeare-lstm DATA=folder of the corpora
	@sh scripts/train "$(NAME)" "$(DATA)" $(ARGS)

model: ## fetch a model that people know; NAME=minilm, smollm2, g2p-en or easyocr-en
	@sh scripts/model $(NAME) $(ARGS)

image: ## go through the steps of the Dockerfile without an engine for containers
	@sh scripts/image $(ARGS)

document: ## write the table of settings into README.md
	@sh scripts/document

lock: ## pin requirements/*.in into *.txt; ARGS=--upgrade takes the newest of all
	@sh scripts/lock $(ARGS)

clean: ## remove the environment and what the tools left
	@sh scripts/clean
