"""The data path as machine code: the same sources, compiled by mypyc where there is a C compiler, and used only while
they are the same sources (docs/decisions/0029).

Nothing depends on it. A service without it does the same, and takes more time for it.
"""
