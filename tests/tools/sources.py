"""C sources of small modules, each asking the system for something else."""

from collections.abc import Callable
from pathlib import Path

OLD = "long strtol(const char *, char **, int); long parse(const char *s) { return strtol(s, 0, 10); }"
NEW_PARSER = """
long strtol(const char *, char **, int);
long __isoc23_strtol(const char *, char **, int);
long parse(const char *s) { return strtol("0", 0, 10) + __isoc23_strtol(s, 0, 10); }
"""
NEW_TERMINATOR = """
void _ZSt9terminatev(void);
void __cxa_call_terminate(void *);
void end(void *e) { if (e) __cxa_call_terminate(e); else _ZSt9terminatev(); }
long parse(const char *s) { return *s - '0'; }
"""
NEW_MARK = NEW_PARSER + 'asm(".globl _ZSt21ios_base_library_initv");\n'
NEW_CALLED_MARK = (
    NEW_PARSER + "void _ZSt21ios_base_library_initv(void); void go(void) { _ZSt21ios_base_library_initv(); }"
)
UNKNOWN = "long brand_new(void); long parse(const char *s) { return brand_new() + *s; }"

Build = Callable[[str], Path]
