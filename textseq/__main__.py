"""python -m textseq：命令行在 cli.py。"""

from textseq.cli import main

if __name__ == "__main__":
    main()
