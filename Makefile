# 《序列与词》：make book 建书 · make lab 打开实验室 · make test 测试
PYTHON ?= python3
PORT   ?= 8000
MARK   ?= not full and not slow
VENV   := .venv
BIN    := $(VENV)/bin
SITE   := build/_build/html
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c requirements.lock

.PHONY: here book lab test test-slow test-full notebooks bench assignments grade slides handout release serve clean help

help:
	@echo "make book       建书（不装 torch），完成后打印首页的位置"
	@echo "make lab        打开 JupyterLab，在 notebooks/ 里动手"
	@echo "make test       测试 notebook、模块、网站"
	@echo "make test-slow  其余的几十项，每项几秒；.ci/run 两样都跑"
	@echo "make test-full  以上全部，再加上太久的几项：整份语料、重新训练"
	@echo "make notebooks  重新运行全部 notebook 并规范化"
	@echo "make assignments 学生版：没有参考答案与输出的十章"
	@echo "make grade FOLDER=收来的作业  批改：成绩表与反馈"
	@echo "make slides     上课放的幻灯片，每章一份，断网也能放"
	@echo "make handout    讲义：整本与各章的 PDF，一节课一页的课堂单"
	@echo "make release    没有网的教室用的：带着书与课程的 wheel、网站的包、Anki 卡片"
	@echo "make bench      训练词向量的快慢与好坏，同 gensim 比，二十来分钟"
	@echo "make serve      在 http://127.0.0.1:8000 预览建好的书（换端口：PORT=8001）"
	@echo "make clean      删去 build/（不动 .venv）"

# 环境：三个记号文件，各管一组依赖；依赖没变就不再安装，断网也能用
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo "需要 Python 3.11 或更新版本；已装在别处时：make PYTHON=/路径/python3.11 …"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "无法创建 .venv；Debian/Ubuntu 请先运行：sudo apt install python3-venv"; exit 1; }
	@pwd -P > $(VENV)/path

# .venv 里的命令记着自己的路径；文件夹改了名就找不到 Python，只会报 Error 127
here:
	@test ! -e $(VENV)/path || test "$$(cat $(VENV)/path)" = "$$(pwd -P)" \
	  || { echo "这个文件夹改过名或搬过家，.venv 里记的还是原来的路径；请删去它再来：rm -rf .venv"; exit 1; }

$(VENV)/book.ok: pyproject.toml requirements.lock | here $(BIN)/python
	@echo "安装建书所需的包 …"
	@$(PIP) -e ".[book]" || { echo "安装失败；网络慢时见 book/setup.md 的“网络慢怎么办”"; exit 1; }
	@touch $@

$(VENV)/lab.ok: pyproject.toml requirements.lock | here $(BIN)/python
	@echo "安装做实验所需的包（Linux 上先看 book/setup.md 的“torch 只装 CPU 版”，能省几 GB）…"
	@$(PIP) -e ".[lab]" || { echo "安装失败；网络慢时见 book/setup.md 的“网络慢怎么办”"; exit 1; }
	@touch $@

$(VENV)/all.ok: pyproject.toml requirements.lock | here $(BIN)/python
	@echo "安装全部依赖，需几分钟 …"
	@$(PIP) -e ".[book,lab,test]" || { echo "安装失败；网络慢时见 book/setup.md 的“网络慢怎么办”"; exit 1; }
	@touch $@ $(VENV)/book.ok $(VENV)/lab.ok

book: $(VENV)/book.ok
	@$(BIN)/jupyter-book build . --config book/_config.yml --toc book/_toc.yml --path-output build --quiet >/dev/null
	@echo "书在这里：file://$(CURDIR)/$(SITE)/book/index.html"

lab: $(VENV)/lab.ok
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks

test: $(VENV)/all.ok
	@$(BIN)/ruff check .
	@$(BIN)/python -m pytest -n 2 -q -m "$(MARK)"

test-slow:
	@$(MAKE) --no-print-directory test MARK="slow and not full"

test-full:
	@$(MAKE) --no-print-directory test MARK=

notebooks: $(VENV)/all.ok
	@cd notebooks && ../$(BIN)/jupyter nbconvert --config nbconvert_config.py [0-9]*.ipynb

bench: $(VENV)/all.ok
	@$(BIN)/python tests/by_hand/bench.py

assignments: $(VENV)/lab.ok
	@$(BIN)/python book/_kit/assignments.py

grade: $(VENV)/lab.ok
	@test -n "$(FOLDER)" || { echo "请写收来的作业所在的文件夹：make grade FOLDER=收来的作业"; exit 2; }
	@$(BIN)/python book/_kit/grade.py "$(FOLDER)"

slides: $(VENV)/book.ok
	@$(BIN)/python book/_kit/slides.py

handout: $(VENV)/all.ok book
	@$(BIN)/python book/_kit/handout.py

release: handout slides
	@$(BIN)/python book/_kit/release.py

serve: book
	@$(BIN)/python -c 'import socket; socket.socket().bind(("127.0.0.1", $(PORT)))' 2>/dev/null \
	  || { echo "端口 $(PORT) 正被别的程序占用；换一个：make serve PORT=8001"; exit 1; }
	@$(BIN)/python -m http.server --directory $(SITE) --bind 127.0.0.1 $(PORT)

clean:
	@rm -rf build
