import subprocess
import sys


def test_settings_and_recipes_load_without_faiss():
    modules = ", ".join(f"pipelines.neighbours{name}" for name in ("", ".settings", ".recipes", ".query.searcher"))
    script = f"import {modules}, sys; print('faiss' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
